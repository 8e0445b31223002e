import type { PageRecord } from "@sluice/core"

/** A constraint as the catalog has it. */
export interface CheckedTable {
  readonly table: string
  readonly expression: string
  /** The columns it is about. */
  readonly columns: ReadonlyArray<string>
}

type Value = string | number | null

/** So many rows are tried at most. */
const mostRows = 2_000
/** Lengths of text that a page may have. */
const textLengths = { least: 40, most: 100_000 } as const
const longestUrl = 2_000

/** What an expression may hold besides columns and literals for all that it asks of them to be found in its literals. */
const known = new Set(
  "length char_length character_length octet_length lower upper btrim starts_with coalesce and or not null is true false any all array text character varying varchar integer bigint numeric".split(
    " "
  )
)

/** Whether values built from the literals of an expression would meet it if any page's did: patterns of regular expressions are not read. */
export const isUnderstood = ({ columns, expression }: CheckedTable): boolean => {
  const bare = expression.replace(/'(?:[^']|'')*'/g, " ")
  // What is left of ~~, which is LIKE.
  if (bare.replaceAll(/!?~~\*?/g, " ").includes("~")) return false
  return (bare.match(/"[^"]+"|[a-z_][a-z_0-9]*/gi) ?? []).every(
    (word) => columns.includes(word.replaceAll('"', "")) || known.has(word.toLowerCase())
  )
}

/**
 * Rows with the columns of a constraint such as pages of a run may make: the made-up ones' values, and what the constraint itself names,
 * as far as a page can have that. Undefined where a column is about more than can be tried.
 */
export const likelyRows = (
  check: CheckedTable,
  samples: ReadonlyArray<PageRecord>
): ReadonlyArray<Readonly<Record<string, Value>>> | undefined => {
  const literals = [...check.expression.matchAll(/'((?:[^']|'')*)'/g)].map(([, text = ""]) =>
    text.replaceAll("''", "'")
  )
  const numbers = [
    ...check.expression.replace(/'(?:[^']|'')*'/g, (text) => (/^'-?\d+'$/.test(text) ? text : "")).matchAll(/-?\d+/g)
  ]
    .map(([text]) => Number(text))
    .flatMap((number) => [number - 1, number, number + 1])
  let rows: ReadonlyArray<Readonly<Record<string, Value>>> = [{}]
  for (const column of check.columns) {
    const values = valuesOf(check.table, column, samples, { literals, numbers })
    if (values === undefined || rows.length * values.length > mostRows) return undefined
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [column]: value })))
  }
  return rows
}

interface Named {
  readonly literals: ReadonlyArray<string>
  readonly numbers: ReadonlyArray<number>
}

const valuesOf = (
  table: string,
  column: string,
  samples: ReadonlyArray<PageRecord>,
  named: Named
): ReadonlyArray<Value> | undefined => {
  const [sample] = samples
  if (sample === undefined) return undefined
  const between = (least: number, most: number, ...usual: ReadonlyArray<number>) => [
    ...new Set([...usual, ...named.numbers.filter((number) => number >= least && number <= most)])
  ]
  switch (column) {
    case "url":
      return table === "links"
        ? [...urlsOf(samples, named), ...named.literals.map(withoutWildcards)]
        : urlsOf(samples, named)
    case "parent_url":
      return sample.inputIndex === null ? [null, ...urlsOf(samples, named)] : [null]
    case "markdown":
    case "html":
      return sample[column] === null ? [null] : textsOf(sample[column], named)
    case "status":
      return [sample.status]
    case "error_code":
    case "error_message":
      return [null]
    case "depth":
      return sample.depth === null ? [null] : between(1, 100, 1, 2, 3)
    case "input_index":
      return sample.inputIndex === null ? [null] : between(0, 1_000_000, 0, 1)
    case "http_status":
      return sample.httpStatus === null ? [null] : between(200, 599, 200, 301, 404)
    case "duration_ms":
      return sample.durationMs === null ? [null] : between(0, 3_600_000, 0, 250, 30_000)
    case "retry_count":
      return sample.retryCount === null ? [null] : between(0, 10, 0, 1)
    case "tokens_charged":
      return sample.tokensCharged === null ? [null] : between(0, 1_000, 1, 2)
    case "position":
      return between(0, 100_000, 0, 1)
    default:
      return undefined
  }
}

const withoutWildcards = (pattern: string): string => pattern.replaceAll("%", "")

/** URLs of the run's own site: with what patterns name, and as long as numbers say. */
const urlsOf = (samples: ReadonlyArray<PageRecord>, { literals, numbers }: Named): ReadonlyArray<string> => {
  const own = samples.map(({ url }) => url)
  if (!URL.canParse(own[0]!)) return own
  const { host, origin } = new URL(own[0]!)
  const fragments = literals.map(withoutWildcards)
  const named = [...fragments, fragments.join("")].flatMap((text) => {
    if (/^https?:\/\//.test(text)) return URL.canParse(text) && isOfSite(new URL(text).host, host) ? [text] : []
    return [
      `${origin}/${text.replace(/^\//, "")}`,
      `${origin}/${text.replace(/^\//, "")}/page`,
      `${origin}/page${text}`
    ]
  })
  const long = numbers
    .filter((length) => length > origin.length && length <= longestUrl)
    .map((length) => `${origin}/`.padEnd(length, "a"))
  return [...new Set([...own, `${origin}/`, ...named, ...long])]
}

const isOfSite = (host: string, of: string): boolean =>
  host === of || host.endsWith(`.${of}`) || of.endsWith(`.${host}`)

/** Texts of pages: with what patterns name at their ends and between, and as long as numbers say. */
const textsOf = (sample: string, { literals, numbers }: Named): ReadonlyArray<string> => {
  const fragments = literals.map(withoutWildcards)
  const named = [...fragments, fragments.join(" ")].flatMap((text) => [
    `${sample} ${text} ${sample}`,
    `${text}${sample}`,
    `${sample}${text}`
  ])
  const lengths = [...numbers, textLengths.least, 2_000].filter(
    (length) => length >= textLengths.least && length <= textLengths.most
  )
  return [...new Set([sample, ...named, ...lengths.map((length) => sample.slice(0, length).padEnd(length, "a "))])]
}
