import type { LedgerError } from "@sluice/core/sink"
import { Effect, Option, Stream } from "effect"

/** Rows in pages of `size`, each page after the key of the last row; keys are 0 or more. */
export const pagesOf =
  <A>(size: number, read: (after: number) => Effect.Effect<ReadonlyArray<A>, LedgerError>) =>
  (key: (row: A) => number): Stream.Stream<A, LedgerError> =>
    Stream.paginate(-1, (after) =>
      Effect.map(read(after), (rows) => {
        const last = rows.at(-1)
        return [rows, rows.length < size || last === undefined ? Option.none() : Option.some(key(last))] as const
      })
    )
