import { Effect, Schema } from "effect"
import type { Queryable, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { keptUnpublished } from "../ledger/keptUnpublished.ts"
import { arrayOf } from "../load/LoadSegment.ts"
import { pageId } from "../load/pageId.ts"
import { LoadMode } from "../PostgresSinkConfig.ts"
import type { RowKeyedRecord } from "../pages/Rows.ts"
import type { DeadLetterBatch } from "./DeadLetterBatches.ts"

/** The mode that the letters' pipeline is loaded in; a pipeline and a sink have one. Undefined where nothing of them is here. */
export const modeOf = Effect.fnUntraced(function* (
  database: Queryable,
  { pipeline, sink }: DeadLetterBatch
): Effect.fn.Return<LoadMode | undefined, DatabaseError> {
  const [set] = yield* database.query("SELECT mode FROM page_sets WHERE pipeline = $1 AND sink = $2 LIMIT 1", [
    pipeline,
    sink
  ])
  return set === undefined ? undefined : yield* Effect.orDie(Schema.decodeUnknownEffect(LoadMode)(set.mode))
})

// By the numbers of jobs, which later runs register later. The runs themselves may be in another database.
const followed = `
WITH own AS (SELECT max(job_no) AS last FROM jobs WHERE run_id = $3::uuid),
  s AS (SELECT set_no, counted_run FROM page_sets WHERE pipeline = $1 AND sink = $2 AND mode = 'history')
SELECT EXISTS (SELECT FROM own, s JOIN pages p USING (set_no) WHERE p.job_no > own.last AND NOT EXISTS (
    SELECT FROM jobs j WHERE j.job_no = p.job_no AND j.run_id = $3::uuid))
  OR EXISTS (SELECT FROM own, s JOIN jobs j ON j.run_id = s.counted_run
    WHERE j.job_no > own.last AND j.run_id <> $3::uuid)
  OR EXISTS (SELECT FROM own, runs r JOIN jobs j USING (run_id)
    WHERE r.pipeline = $1 AND j.job_no > own.last AND r.run_id <> $3::uuid) AS is_followed`

/** In history mode: whether a later run has been at the set since. What it saw is newer, and no version goes in before another. */
export const wasFollowed = (
  tx: Queryable,
  { pipeline, runId, sink }: Pick<DeadLetterBatch, "pipeline" | "runId" | "sink">
): Effect.Effect<boolean, DatabaseError> =>
  Effect.map(tx.query(followed, [pipeline, sink, runId]), ([row]) => row?.is_followed === true)

/** In replace mode: whether the run has ended without being published, and is not kept for it: its set goes next. */
export const cameToNothing = Effect.fnUntraced(function* (
  tx: Transaction,
  { pipeline, runId, sink }: DeadLetterBatch
): Effect.fn.Return<boolean, DatabaseError> {
  const rows = yield* tx.query(
    `SELECT FROM page_sets s JOIN runs r USING (run_id) WHERE s.pipeline = $1 AND s.sink = $2 AND s.run_id = $3::uuid
       AND s.state = 'open' AND r.finished_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM (${keptUnpublished("r.pipeline")}) kept WHERE kept.run_id = r.run_id)`,
    [pipeline, sink, runId]
  )
  return rows.length > 0
})

/** The records whose page a later job has delivered, by {@link pageId}; existing rows are locked until the end. */
export const findSuperseded = Effect.fnUntraced(function* (
  tx: Transaction,
  records: ReadonlyArray<RowKeyedRecord>
): Effect.fn.Return<ReadonlySet<string>, DatabaseError> {
  if (records.length === 0) return new Set()
  const rows = yield* tx.query(
    `SELECT m.set_no || ':' || m.page_key AS id, m.job_no
     FROM unnest($1::int[], $2::bigint[]) AS k (set_no, page_key) JOIN page_metadata m USING (set_no, page_key)
     ORDER BY m.set_no, m.page_key FOR UPDATE OF m`,
    [arrayOf(records, ({ setNo }) => setNo), arrayOf(records, ({ record }) => record.key)]
  )
  const existing = new Map(rows.map((row) => [String(row.id), Number(row.job_no)]))
  return new Set(records.filter((keyed) => (existing.get(pageId(keyed)) ?? 0) > keyed.jobNo).map(pageId))
})
