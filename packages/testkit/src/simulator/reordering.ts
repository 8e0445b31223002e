import { isTerminal } from "@sluice/contract"
import { type HistoryRow, type JobHistory, mapStates } from "./JobHistory.ts"
import { makeRng, shuffled } from "./Rng.ts"

/** In which order the rows of a running job are listed, from poll to poll. */
export const listOrders = ["steady", "newest-first", "inserted", "flipping", "shuffled"] as const
export type ListOrder = (typeof listOrders)[number]

/**
 * Lists the rows of a job in another order, and some of them twice (`repeated`, a share from 0 to 1), for as long as it runs:
 * once it has ended it no longer changes. Every poll makes the whole list, unless nothing is asked for.
 */
export const reordering = (
  options: { readonly seed: number; readonly order: ListOrder; readonly repeated: number },
  history: JobHistory
): JobHistory => {
  if (options.order === "steady" && options.repeated === 0) return history
  return mapStates(history, (state, poll) => {
    if (isTerminal(state.status)) return state
    const next = makeRng(options.seed, "reordering", poll)
    const rows = inOrder(options.order, state.rows.slice(0, state.rows.length), poll, next)
    return { ...state, rows: rows.flatMap((row) => (next() < options.repeated ? [row, row] : [row])) }
  })
}

const inOrder = (
  order: ListOrder,
  rows: ReadonlyArray<HistoryRow>,
  poll: number,
  next: () => number
): ReadonlyArray<HistoryRow> => {
  switch (order) {
    case "steady":
      return rows
    case "newest-first":
      return rows.toReversed()
    case "inserted":
      return rows.toSorted((a, b) => makeRng("place", a.url)() - makeRng("place", b.url)())
    case "flipping":
      return poll % 2 === 0 ? rows : rows.toReversed()
    case "shuffled":
      return shuffled(next, rows)
  }
}
