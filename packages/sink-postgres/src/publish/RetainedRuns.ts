import type { RunHandle } from "@sluice/core/sink"
import { Effect } from "effect"
import type { Database, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import type { PostgresSinkConfig } from "../PostgresSinkConfig.ts"
import { placeOf } from "../pages/PageSets.ts"
import { leastKey, nextBatch, pagesAtOnce, removeFormer } from "./PageBatches.ts"

const segmentsAtOnce = 500

/**
 * Removes what runs before the last so many completed ones have left, a bounded batch a transaction: in append mode rows of
 * pages that a later job has delivered, in history mode versions closed before those runs, and the ledger's segments. What
 * readers see as current stays, however old, and so does whatever belongs to a run that has not ended. What is left when a
 * process dies goes after a later run. Removes nothing where the ledger is in another store: it is not known then what is old.
 */
export const keepRuns = Effect.fn("PostgresSink.keepRuns")(function* (
  database: Database,
  config: PostgresSinkConfig,
  run: RunHandle,
  runs: number
): Effect.fn.Return<void, DatabaseError> {
  const place = placeOf({ pipeline: run.pipeline, sink: config.name })
  const [oldest] = yield* database.query(oldestKept, [run.pipeline, run.runId, runs - 1])
  if (oldest === undefined) return
  const oldestId = String(oldest.run_id)
  if (config.mode === "append") {
    for (const { set_no } of yield* database.query(setsBefore, [...place, oldestId])) {
      yield* inBatches(database, (tx, from) => removeSuperseded(tx, Number(set_no), from, place))
    }
  }
  if (config.mode === "history") {
    const sets = yield* database.query(
      "SELECT set_no FROM page_sets WHERE pipeline = $1 AND sink = $2 AND mode = 'history'",
      place
    )
    for (const { set_no } of sets) {
      yield* inBatches(database, (tx, from) => removeClosed(tx, Number(set_no), from, oldestId))
    }
  }
  let removed: unknown
  do removed = (yield* database.query(removeSegments, [run.pipeline, oldestId, config.name]))[0]?.removed
  while (removed === segmentsAtOnce)
})

// The run at hand has completed, though the ledger does not say so yet.
const oldestKept = `
SELECT run_id::text FROM runs
WHERE pipeline = $1 AND (status = 'completed' AND finished_at IS NOT NULL OR published_at IS NOT NULL OR run_id = $2::uuid)
  AND (started_at, run_id) <= (SELECT started_at, run_id FROM runs WHERE run_id = $2::uuid)
ORDER BY started_at DESC, run_id DESC OFFSET $3 LIMIT 1`

const isBefore = (run: string, oldest: string) =>
  `${run}.finished_at IS NOT NULL
   AND (${run}.started_at, ${run}.run_id) < (SELECT started_at, run_id FROM runs WHERE run_id = ${oldest}::uuid)`

const setsBefore = `
SELECT s.set_no FROM page_sets s JOIN jobs j ON j.job_no = s.job_no JOIN runs r ON r.run_id = j.run_id
WHERE s.pipeline = $1 AND s.sink = $2 AND s.mode = 'append' AND ${isBefore("r", "$3")} ORDER BY s.set_no`

const removeSegments = `
WITH old AS (
  SELECT s.run_id, s.seq FROM runs r JOIN segments s ON s.run_id = r.run_id AND s.sink = $3
  WHERE r.pipeline = $1 AND ${isBefore("r", "$2")} LIMIT ${segmentsAtOnce}),
removed AS (DELETE FROM segments s USING old WHERE s.run_id = old.run_id AND s.sink = $3 AND s.seq = old.seq RETURNING s.seq)
SELECT count(*)::int AS removed FROM removed`

/** Goes through a set by its keys; a batch answers where the next begins, or nothing when it was the last. */
const inBatches = Effect.fnUntraced(function* (
  database: Database,
  batch: (tx: Transaction, from: string) => Effect.Effect<string | undefined, DatabaseError>
): Effect.fn.Return<void, DatabaseError> {
  let from: string | undefined = leastKey
  do {
    const start: string = from
    from = yield* database.transaction((tx) => batch(tx, start))
  } while (from !== undefined)
})

const supersededIn = `
WITH superseded AS MATERIALIZED (
  SELECT p.set_no, p.page_key FROM pages p WHERE p.set_no = $1 AND p.page_key BETWEEN $2::bigint AND $3::bigint
    AND EXISTS (
      SELECT FROM pages later JOIN page_sets t ON t.set_no = later.set_no
      WHERE later.url = p.url AND later.page_key = p.page_key AND later.job_no > p.job_no
        AND t.pipeline = $4 AND t.sink = $5 AND t.mode = 'append')),
${removeFormer("superseded")}`

/** Leaves what readers see: the pages that no later job has delivered. A set left empty goes with the last of its rows. */
const removeSuperseded = Effect.fnUntraced(function* (
  tx: Transaction,
  setNo: number,
  from: string,
  place: readonly [string, string]
): Effect.fn.Return<string | undefined, DatabaseError> {
  const locked = yield* tx.query("SELECT FROM page_sets WHERE set_no = $1 FOR UPDATE SKIP LOCKED", [setNo])
  if (locked.length === 0) return undefined
  const { isLast, upTo } = yield* nextBatch(tx, setNo, from)
  yield* tx.query(supersededIn, [setNo, from, upTo, ...place])
  if (!isLast) return upTo
  yield* tx.query("DELETE FROM page_sets WHERE set_no = $1 AND NOT EXISTS (SELECT FROM pages WHERE set_no = $1)", [
    setNo
  ])
  return undefined
})

// By the server's clock, as versions are: a run's beginning is told by its process.
const isClosedBefore = (oldest: string) =>
  `valid_to < (SELECT coalesce(min(j.first_seen_at), min(r.started_at)) FROM runs r LEFT JOIN jobs j ON j.run_id = r.run_id
     WHERE r.run_id = ${oldest}::uuid)`

const removeClosed = Effect.fnUntraced(function* (
  tx: Transaction,
  setNo: number,
  from: string,
  oldestId: string
): Effect.fn.Return<string | undefined, DatabaseError> {
  const [batch] = yield* tx.query(
    `SELECT count(*)::int AS versions, max(page_key)::text AS up_to FROM (
       SELECT page_key FROM page_history WHERE set_no = $1 AND page_key >= $2::bigint AND ${isClosedBefore("$3")}
       ORDER BY page_key LIMIT ${pagesAtOnce}) AS b`,
    [setNo, from, oldestId]
  )
  if (Number(batch?.versions) === 0) return undefined
  const upTo = String(batch?.up_to)
  yield* tx.query(
    `DELETE FROM page_history
     WHERE set_no = $1 AND page_key BETWEEN $2::bigint AND $4::bigint AND ${isClosedBefore("$3")}`,
    [setNo, from, oldestId, upTo]
  )
  return Number(batch?.versions) === pagesAtOnce ? upTo : undefined
})
