import { Effect } from "effect"
import type { Database, Queryable, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { type ModeChanged, placeOf, registerSet, type SetIdentity, SetSuperseded } from "./PageSets.ts"

/** Makes a run's own set, or finds it again. Sets are numbered in the order in which their runs began. */
export const openSet = (
  database: Database,
  set: SetIdentity
): Effect.Effect<void, DatabaseError | ModeChanged | SetSuperseded> =>
  database.transaction((tx) =>
    Effect.gen(function* () {
      const { setNo } = yield* registerSet(tx, set)
      yield* assertOpen(tx, setNo, set.runId)
    })
  )

/** Proves that a set has not been superseded and keeps it from being until the transaction ends: its rows would stay behind. */
export const assertOpen = Effect.fnUntraced(function* (
  tx: Queryable,
  setNo: number,
  runId: string | null
): Effect.fn.Return<void, DatabaseError | SetSuperseded> {
  const [set] = yield* tx.query("SELECT state FROM page_sets WHERE set_no = $1 FOR SHARE", [setNo])
  if (set?.state !== "open" && set?.state !== "current") return yield* refuseSuperseded(tx, setNo, runId)
})

const refuseSuperseded = Effect.fnUntraced(function* (
  tx: Queryable,
  setNo: number,
  runId: string | null
): Effect.fn.Return<never, DatabaseError | SetSuperseded> {
  const later = yield* tx.query(
    `SELECT FROM page_sets s JOIN page_sets own USING (pipeline, sink, mode)
     WHERE own.set_no = $1 AND s.set_no > $1 AND s.state = 'current'`,
    [setNo]
  )
  return yield* new SetSuperseded({ runId: String(runId), isReplaced: later.length > 0 })
})

/**
 * Makes a run's set the one that readers see, and ends those of all runs that began before: what they hold is older. One
 * statement of a reader sees the set before or this one, since both rows change in one transaction. `completed` is how many of its
 * pages completed, where that is known.
 */
export const swapIn = Effect.fnUntraced(function* (
  tx: Transaction,
  set: SetIdentity,
  { completed, setNo }: { readonly setNo: number; readonly completed: number | null }
): Effect.fn.Return<void, DatabaseError | SetSuperseded> {
  const sets = yield* tx.query(
    `SELECT set_no, state FROM page_sets
     WHERE pipeline = $1 AND sink = $2 AND mode = 'replace' AND state IN ('open', 'current') AND set_no <= $3
     ORDER BY set_no FOR UPDATE`,
    [...placeOf(set), setNo]
  )
  const own = sets.find((each) => each.set_no === setNo)
  if (own === undefined) return yield* refuseSuperseded(tx, setNo, set.runId)
  // First, because of two current sets the index refuses the second.
  yield* tx.query("UPDATE page_sets SET state = 'superseded' WHERE set_no = ANY ($1::int[])", [
    `{${sets.flatMap((each) => (each === own ? [] : [each.set_no])).join(",")}}`
  ])
  yield* tx.query(
    "UPDATE page_sets SET state = 'current', completed_pages = $2 WHERE set_no = $1 AND state <> 'current'",
    [setNo, completed]
  )
})
