import type { ValueOf } from "./Question.ts"

/** The rows one poll of a running job listed, each by what tells it from the others. */
export type ListedRows = ReadonlyArray<string>

/** What polls of a running job say about the order of its rows; undefined where none of them shows news. */
export const rowOrder = (polls: ReadonlyArray<ListedRows>): ValueOf<"results.order"> | undefined => {
  const seen = new Set<ValueOf<"results.order">>()
  for (let at = 1; at < polls.length; at++) {
    const kind = movement(distinct(polls[at - 1]!), distinct(polls[at]!))
    if (kind !== undefined) seen.add(kind)
  }
  if (seen.has("changing")) return "changing"
  if (seen.has("in between") || seen.size > 1) return "in between"
  return [...seen][0]
}

/** Whether a poll lists a row more than once. */
export const hasRepeats = (polls: ReadonlyArray<ListedRows>): boolean =>
  polls.some((rows) => new Set(rows).size < rows.length)

const distinct = (rows: ListedRows): ListedRows => [...new Set(rows)]

const movement = (before: ListedRows, after: ListedRows): ValueOf<"results.order"> | undefined => {
  const known = new Set(before)
  const kept = after.filter((row) => known.has(row))
  const stayed = new Set(kept)
  if (before.filter((row) => stayed.has(row)).some((row, at) => row !== kept[at])) return "changing"
  if (kept.length === 0 || kept.length === after.length) return undefined
  const isNew = after.map((row) => !known.has(row))
  const first = isNew.indexOf(true)
  const last = isNew.lastIndexOf(true)
  if (first >= kept.length) return "at the end"
  return last < after.length - kept.length ? "at the front" : "in between"
}
