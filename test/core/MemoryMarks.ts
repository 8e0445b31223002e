import type { Ledger } from "@sluice/core"
import { type MarkPlace, type RunMark, withMark } from "@sluice/core/sink"
import { Effect } from "effect"

/** A place outside of the ledger, as long as the test lasts. */
export const memoryMarks = () => {
  const marks = new Map<string, ReadonlyArray<RunMark>>()
  const written: Array<RunMark> = []
  const place: MarkPlace = {
    address: "memory",
    read: (pipeline) => Effect.sync(() => marks.get(pipeline) ?? []),
    write: (pipeline, mark) =>
      Effect.sync(() => {
        written.push(mark)
        marks.set(pipeline, withMark(marks.get(pipeline) ?? [], mark))
      })
  }
  return { place, written, options: { ledger: "main", places: [place] } }
}

/** Takes a backup of a ledger in memory; what comes back restores it. */
export const backUp = (ledger: Ledger): (() => void) => {
  const { store } = ledger
  if (!(store instanceof Map)) throw new Error("this ledger is not in memory")
  const backup = structuredClone(store)
  return () => {
    store.clear()
    for (const [runId, entry] of structuredClone(backup)) store.set(runId, entry)
  }
}
