import type { PageRecord } from "./PageRecord.ts"

/** The members of a completed page that an expectation can ask for, by their names in the tables. */
export const requirableFields = ["markdown", "html", "links", "http_status"] as const
export type RequirableField = (typeof requirableFields)[number]

/** What is counted of records, in the order ledgers keep it. */
export const tallied = [
  "completed",
  "failed",
  ...requirableFields.map((field) => `without_${field}` as const),
  "without_content",
  "quarantined_completed",
  "quarantined_failed"
] as const

/**
 * How many of a run's records a sink holds as completed and as failed, how many of the completed came without a member, or
 * without Markdown and HTML, and how many of either became dead letters instead. A ledger keeps it with each segment, so that it holds over all attempts. Records
 * that a transform drops are not in it.
 */
export type Tally = { readonly [C in (typeof tallied)[number]]: number }

/** No record at all. */
export const noTally: Tally = {
  completed: 0,
  failed: 0,
  without_markdown: 0,
  without_html: 0,
  without_links: 0,
  without_http_status: 0,
  without_content: 0,
  quarantined_completed: 0,
  quarantined_failed: 0
}

/** Adds two tallies count by count. */
export const addTallies = (a: Tally, b: Tally): Tally => {
  const sum = { ...a }
  for (const count of tallied) sum[count] += b[count]
  return sum
}

/**
 * Counts what became of records in a sink. `quarantined` are those that are dead letters there: the ones the contract refuses
 * where a sink names none.
 */
export const tallyOf = (records: ReadonlyArray<PageRecord>, quarantined?: ReadonlyArray<PageRecord>): Tally => {
  const tally = { ...noTally }
  const dead = quarantined === undefined ? undefined : new Set(quarantined)
  for (const record of records) {
    const isDead = dead === undefined ? record.refusal !== null : dead.has(record)
    if (isDead) {
      if (record.status === "failed") tally.quarantined_failed++
      if (record.status === "completed") tally.quarantined_completed++
      continue
    }
    if (record.status === "failed") tally.failed++
    if (record.status !== "completed") continue
    tally.completed++
    for (const field of requirableFields) if (isWithout[field](record)) tally[`without_${field}`]++
    if (isWithout.markdown(record) && isWithout.html(record)) tally.without_content++
  }
  return tally
}

const isWithout: { readonly [F in RequirableField]: (record: PageRecord) => boolean } = {
  markdown: ({ markdown }) => markdown === null || markdown.trim() === "",
  html: ({ html }) => html === null || html.trim() === "",
  links: ({ links }) => links.length === 0,
  http_status: ({ httpStatus }) => httpStatus === null
}
