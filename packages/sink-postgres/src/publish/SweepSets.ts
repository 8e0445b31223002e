import { unpublishedKept } from "@sluice/core/sink"
import { Effect } from "effect"
import type { Database, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { keptUnpublished } from "../ledger/keptUnpublished.ts"
import { placeOf, type SetIdentity } from "../pages/PageSets.ts"
import { leastKey, nextBatch } from "./PageBatches.ts"

/** How far the rows of a set have been removed. */
interface Swept {
  readonly setNo: number
  readonly upTo: string
}

/**
 * Removes what the pipeline's superseded sets hold, a bounded batch a transaction, and what runs hold that have ended without being
 * published and are not kept for it. Whatever is left when a process dies, the next sweep finds. Several may sweep at once.
 *
 * Where the ledger is in another store, nothing here tells how a run ended: then the newest sets are kept, up to the number there can be
 * unpublished runs, and the one that is being loaded.
 */
export const sweepSets = Effect.fn("PostgresSink.sweep")(function* (
  database: Database,
  set: Pick<SetIdentity, "pipeline" | "sink">
): Effect.fn.Return<void, DatabaseError> {
  yield* database.query(
    `UPDATE page_sets s SET state = 'superseded' FROM runs r
     WHERE s.pipeline = $1 AND s.sink = $2 AND s.mode = 'replace' AND s.state = 'open'
       AND r.run_id = s.run_id AND r.finished_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM (${keptUnpublished("r.pipeline")}) kept WHERE kept.run_id = r.run_id)`,
    placeOf(set)
  )
  yield* database.query(
    `UPDATE page_sets SET state = 'superseded' WHERE set_no IN (
       SELECT set_no FROM page_sets s WHERE s.pipeline = $1 AND s.sink = $2 AND s.mode = 'replace' AND s.state = 'open'
         AND NOT EXISTS (SELECT FROM runs r WHERE r.run_id = s.run_id)
       ORDER BY set_no DESC OFFSET ${unpublishedKept.runs + 1})`,
    placeOf(set)
  )
  let swept: Swept | undefined
  do swept = yield* database.transaction((tx) => sweepBatch(tx, set, swept))
  while (swept !== undefined)
})

/** Removes the next batch; answers nothing when there is none left, or another sweeps it. */
const sweepBatch = Effect.fnUntraced(function* (
  tx: Transaction,
  set: Pick<SetIdentity, "pipeline" | "sink">,
  before: Swept | undefined
): Effect.fn.Return<Swept | undefined, DatabaseError> {
  const [next] = yield* tx.query(
    `SELECT set_no FROM page_sets WHERE pipeline = $1 AND sink = $2 AND mode = 'replace' AND state = 'superseded'
     ORDER BY set_no LIMIT 1 FOR UPDATE SKIP LOCKED`,
    placeOf(set)
  )
  if (next === undefined) return undefined
  const setNo = Number(next.set_no)
  // Not from the beginning each time: the index still holds what has been removed.
  const from = before?.setNo === setNo ? before.upTo : leastKey
  const { isLast, upTo } = yield* nextBatch(tx, setNo, from)
  for (const table of ["links", "page_metadata", "pages"]) {
    yield* tx.query(`DELETE FROM ${table} WHERE set_no = $1 AND page_key BETWEEN $2::bigint AND $3::bigint`, [
      setNo,
      from,
      upTo
    ])
  }
  if (isLast) yield* tx.query("UPDATE page_sets SET state = 'removed' WHERE set_no = $1", [setNo])
  return { setNo, upTo }
})
