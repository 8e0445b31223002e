import type { Expectation } from "./Expectation.ts"
import type { Rendered } from "./RenderedMarkdown.ts"

/** What is scored. Each is between 0 and 1, and absent where the page has nothing of the kind. */
export const measures = [
  "kept",
  "clean",
  "order",
  "headings",
  "links",
  "images",
  "tables",
  "code",
  "inline",
  "lists"
] as const
export type Measure = (typeof measures)[number]
export type Scores = { readonly [measure in Measure]?: number }

/**
 * Compares what Markdown says with what was expected of it.
 *
 * - `kept` and `clean`: recall and precision of the text, by runs of four words, as the comparisons of article extractors have it.
 *   What is lost, glued together or torn apart costs the first; what leaks, is said twice or is leftover syntax costs the second.
 * - `order`: of the blocks that are there, the share that comes after the one before it.
 * - The others are F1 of what there is: headings by level and text, links by text and target, images by alt and source, cells by place
 *   and text, lines of blocks of code, code in lines, items of lists by depth, kind and text.
 *
 * A page of which nothing remains has no order and no precision.
 */
export const score = (expected: Expectation, rendered: Rendered): Scores => {
  const text = expected.text.map((block) => block.text).join(" ")
  const shingles = agreement(shinglesOf(text), shinglesOf(rendered.text))
  const leaks = expected.hidden.filter((each) => rendered.text.includes(each) && !text.includes(each)).length
  const found = <A>(measure: Measure, wanted: ReadonlyArray<A>, got: ReadonlyArray<A>, key: (each: A) => string) =>
    wanted.length === 0 ? {} : { [measure]: f1(agreement(wanted.map(key), got.map(key))) }
  return {
    kept: shingles.recall,
    clean: shingles.precision * 0.8 ** leaks,
    ...orderOf(expected, rendered.text),
    ...found("headings", expected.headings, rendered.headings, (each) => `${each.level} ${bare(each.text)}`),
    ...found(
      "links",
      joinedLinks(expected.links),
      joinedLinks(rendered.links),
      (each) => `${bare(each.text)} ${each.url}`
    ),
    ...found("images", expected.images, rendered.images, (each) => `${each.alt} ${each.url}`),
    ...(expected.tables.length === 0 ? {} : { tables: tablesOf(expected, rendered) }),
    ...(expected.code.length === 0 ? {} : { code: codeOf(expected, rendered) }),
    ...found("inline", expected.inlineCode, rendered.inlineCode, (each) => bare(each.text)),
    ...found("lists", expected.items, rendered.items, (each) => `${each.depth} ${each.ordered} ${bare(each.text)}`)
  }
}

/** The mean of what there is. */
export const meanOf = (scores: Scores): number => mean(measures.flatMap((measure) => scores[measure] ?? []))

export const mean = (values: ReadonlyArray<number>): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

interface Agreement {
  readonly recall: number
  readonly precision: number
}

/** How far two multisets agree. */
const agreement = (wanted: ReadonlyArray<string>, got: ReadonlyArray<string>): Agreement => {
  const open = new Map<string, number>()
  for (const each of wanted) open.set(each, (open.get(each) ?? 0) + 1)
  let common = 0
  for (const each of got) {
    const left = open.get(each) ?? 0
    if (left === 0) continue
    open.set(each, left - 1)
    common++
  }
  return {
    recall: wanted.length === 0 ? 1 : common / wanted.length,
    precision: got.length === 0 ? (wanted.length === 0 ? 1 : 0) : common / got.length
  }
}

const f1 = ({ precision, recall }: Agreement): number =>
  precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall)

/** Without white space: where a line breaks inside of something is no matter here. */
const bare = (text: string): string => text.replace(/\s+/g, "")

/** Scripts that write without blanks count by the character. */
const token =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]|[^\s\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]+/gu

const shinglesOf = (text: string): ReadonlyArray<string> => {
  const tokens = text.match(token) ?? []
  if (tokens.length < 4) return tokens.length === 0 ? [] : [tokens.join(" ")]
  return Array.from({ length: tokens.length - 3 }, (_, index) => tokens.slice(index, index + 4).join(" "))
}

const orderOf = (expected: Expectation, text: string): { readonly order?: number } => {
  // Short blocks are found anywhere.
  const blocks = expected.text.map((block) => block.text).filter((block) => block.length >= 12)
  const unique = blocks.filter((block) => text.indexOf(block) === text.lastIndexOf(block))
  const places = unique.map((block) => text.indexOf(block)).filter((place) => place >= 0)
  if (unique.length < 2) return {}
  if (places.length < 2) return { order: 0 }
  const inOrder = places.filter((place, index) => index > 0 && place >= places[index - 1]!).length
  return { order: inOrder / (places.length - 1) }
}

/** Links in a row to the same place are one: a block cannot stand in a link of Markdown, so one around many comes apart. */
const joinedLinks = (links: Rendered["links"]): Rendered["links"] => {
  const joined: Array<Rendered["links"][number]> = []
  for (const link of links) {
    const last = joined.at(-1)
    if (last?.url === link.url) joined[joined.length - 1] = { ...last, text: `${last.text} ${link.text}` }
    else if (link.text !== "") joined.push(link)
  }
  return joined
}

type Rows = ReadonlyArray<ReadonlyArray<string | null>>

const tablesOf = (expected: Expectation, rendered: Rendered): number => {
  const left = rendered.tables.map(({ rows }) => rows as Rows)
  const scores = expected.tables.map(({ rows }) => {
    const rated = left.map((each) => cellsAlike(rows, each))
    const best = rated.indexOf(Math.max(...rated))
    if (best === -1) return 0
    left.splice(best, 1)
    return rated[best]!
  })
  return mean(scores)
}

/** Cells in their places; one covered by a span may be empty or say the same again. */
const cellsAlike = (wanted: Rows, got: Rows): number => {
  let agreed = 0
  let cells = 0
  let said = 0
  wanted.forEach((row, r) => {
    row.forEach((cell, c) => {
      if (cell === null) return
      cells++
      if (bare(got[r]?.[c] ?? "\u0000") === bare(cell)) agreed++
    })
  })
  got.forEach((row, r) => {
    row.forEach((cell, c) => {
      if (wanted[r]?.[c] !== null && (cell !== "" || wanted[r]?.[c] !== undefined)) said++
    })
  })
  return f1({ recall: cells === 0 ? 1 : agreed / cells, precision: said === 0 ? 0 : agreed / said })
}

/** Blocks that are there letter by letter, nine tenths for the text and one for the language. */
const codeOf = (expected: Expectation, rendered: Rendered): number => {
  const left = [...rendered.code]
  const scores = expected.code.map(({ language, text }) => {
    const lines = text.split("\n").map((line) => line.trimEnd())
    const rated = left.map((each) => {
      const got = each.text.split("\n").map((line) => line.trimEnd())
      const alike = got.join("\n") === lines.join("\n") ? 1 : f1(agreement(lines, got)) / 2
      return 0.9 * alike + (sameLanguage(language, each.language) ? 0.1 : 0)
    })
    const best = rated.indexOf(Math.max(...rated))
    if (best === -1) return 0
    left.splice(best, 1)
    return rated[best]! < 0.2 ? 0 : rated[best]!
  })
  return mean(scores)
}

const sameLanguage = (wanted: string | null, got: string | null) => wanted === null || wanted === got?.toLowerCase()
