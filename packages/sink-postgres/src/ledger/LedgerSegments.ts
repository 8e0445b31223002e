import type { Ledger } from "@sluice/core"
import {
  type CommittedSegment,
  type FailureCount,
  type LedgerError,
  type LedgerTransaction,
  mergeFailures,
  noTally,
  type SegmentCommit,
  snapshotOf,
  tallied
} from "@sluice/core/sink"
import { Effect, Stream } from "effect"
import type { Database, Queryable, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { sharedRead } from "../database/sharedReads.ts"
import { packKeys, unpackKeys } from "./CommittedKeys.ts"
import { registerJobs, writeSnapshots } from "./JobRows.ts"
import { decodeFailures, decodeKeys, decodeLoaded, decodeSnapshots } from "./LedgerRows.ts"
import { assertEpoch, isUuid, toLedgerError, unknownRun } from "./ledgerErrors.ts"
import { pagesOf } from "./pagesOf.ts"

const segmentsAtOnce = 50
/** URLs of one error code that are read to find its first few: a URL may be there more than once. */
const urlsRead = 30

/** Builds before tallies were kept counted pages alone: they are taken for completed and whole. */
const countOf = (count: string) =>
  `sum(coalesce((tally->>'${count}')::int, ${count === "completed" ? "CASE WHEN tally IS NULL THEN pages END, " : ""}0))::int`
const sumOfTallies = `json_build_object(${tallied.map((count) => `'${count}', ${countOf(count)}`).join(", ")})`

const loadedBySink = sharedRead(`SELECT sink, max(seq) AS last_seq, sum(pages)::int AS pages, sum(links)::int AS links,
             sum(page_metadata)::int AS page_metadata, sum(token_summaries)::int AS token_summaries,
             sum(dead_letters)::int AS dead_letters, ${sumOfTallies} AS tally
           FROM segments WHERE run_id = $1 GROUP BY sink`)
const jobsOfRun =
  sharedRead(`SELECT j.job_id, j.kind, j.url, j.status, t.pages_discovered, t.pages_completed, t.pages_failed,
             t.pages_cancelled, t.tokens_charged, t.tokens_reserved,
             (extract(epoch FROM t.observed_at) * 1000)::float8 AS observed_at
           FROM jobs j JOIN token_summaries t USING (job_no) WHERE j.run_id = $1 AND j.kind IS NOT NULL`)
const failuresBySink = sharedRead(`SELECT s.sink, f->>'code' AS code, (f->>'http_status')::int AS http_status,
         sum((f->>'count')::int) FILTER (WHERE u.at = 1)::int AS count,
         to_json((array_agg(u.url ORDER BY s.seq, u.at))[1:${urlsRead}]) AS urls
       FROM segments s, jsonb_array_elements(s.failures) f,
         jsonb_array_elements_text(f->'urls') WITH ORDINALITY u (url, at)
       WHERE s.run_id = $1 AND s.failures IS NOT NULL GROUP BY s.sink, f->>'code', f->>'http_status'`)
const driftNames = sharedRead(
  "SELECT DISTINCT unnest(drift) AS name FROM segments WHERE run_id = $1 AND drift IS NOT NULL"
)
const runExists = sharedRead("SELECT FROM runs WHERE run_id = $1")

/** The segments that each sink has committed. */
export const ledgerSegments = (database: Database): Pick<Ledger, "commit" | "committed" | "state"> => ({
  commit: Effect.fn("PostgresLedger.commit")(
    function* (commit, within) {
      if (!isUuid(commit.runId)) return yield* unknownRun("commit", commit.runId)
      const connection = connectionOf(database, within)
      // The sink of this database has written the snapshots itself; for any other the ledger keeps them.
      if (connection !== undefined) return yield* Effect.asVoid(insertSegment(connection, commit))
      const numbers = yield* numbersOf(database, commit)
      yield* database.transaction((tx) =>
        Effect.flatMap(insertSegment(tx, commit), (isNew) =>
          isNew ? Effect.asVoid(writeSnapshots(tx, commit.jobs, numbers)) : Effect.void
        )
      )
    },
    Effect.mapError(toLedgerError("commit"))
  ),

  committed: (runId, sink) =>
    !isUuid(runId)
      ? Stream.empty
      : pagesOf(segmentsAtOnce, (after) =>
          database
            .query(
              `SELECT sink, seq, epoch, encode(keys, 'base64') AS keys FROM segments
               WHERE run_id = $1 AND sink = $2 AND seq > $3 ORDER BY seq LIMIT ${segmentsAtOnce}`,
              [runId, sink, after]
            )
            .pipe(Effect.mapError(toLedgerError("committed")), Effect.flatMap(decodeKeys))
        )((row) => row.seq).pipe(
          Stream.map(
            ({ epoch, keys, seq }): CommittedSegment => ({ seq, epoch, keys: unpackKeys(Buffer.from(keys, "base64")) })
          )
        ),

  state: Effect.fn("PostgresLedger.state")(
    function* (runId) {
      if (!isUuid(runId)) return yield* unknownRun("state", runId)
      const loaded = yield* decodeLoaded(yield* database.query(loadedBySink, [runId]))
      if (loaded.length === 0) yield* assertRun(database, runId)
      const failures = yield* failuresOf(database, runId)
      const jobs = yield* decodeSnapshots(yield* database.query(jobsOfRun, [runId]))
      return {
        lastSeq: Math.max(0, ...loaded.map((row) => row.last_seq)),
        jobs: jobs.map((row) => ({ ...snapshotOf(row), observedAt: Math.round(row.observed_at) })),
        drift: yield* driftOf(database, runId),
        loaded: new Map(
          loaded.map(({ dead_letters: deadLetters, last_seq: _, sink, tally, ...rows }) => [
            sink,
            {
              rows,
              deadLetters,
              tally: { ...noTally, ...tally },
              ...(failures.has(sink) ? { failures: failures.get(sink)! } : {})
            }
          ])
        )
      }
    },
    Effect.mapError(toLedgerError("state"))
  )
})

const numbersOf = (database: Database, commit: SegmentCommit) => {
  const jobIds = commit.jobs.map(({ jobId }) => jobId)
  return jobIds.length === 0
    ? Effect.succeed(new Map<string, number>())
    : database.transaction((tx) => registerJobs(tx, commit.runId, jobIds))
}

/** The names of unknown members that a run's segments have met. */
const driftOf = (database: Database, runId: string) =>
  Effect.map(database.query(driftNames, [runId]), (rows) => rows.map(({ name }) => String(name)).sort())

/** Failed pages by code, of the segments of each sink. */
const failuresOf = Effect.fnUntraced(function* (
  database: Database,
  runId: string
): Effect.fn.Return<ReadonlyMap<string, ReadonlyArray<FailureCount>>, DatabaseError> {
  const rows = yield* decodeFailures(yield* database.query(failuresBySink, [runId]))
  const counts = new Map<string, ReadonlyArray<FailureCount>>()
  for (const { http_status: status, sink, ...count } of rows) {
    const failure = { ...count, ...(status === null ? {} : { http_status: status }) }
    counts.set(sink, mergeFailures(counts.get(sink) ?? [], [failure]))
  }
  return counts
})

/** Fails where there is no such run. */
const assertRun = Effect.fnUntraced(function* (
  database: Database,
  runId: string
): Effect.fn.Return<void, DatabaseError | LedgerError> {
  const [run] = yield* database.query(runExists, [runId])
  if (run === undefined) return yield* unknownRun("state", runId)
})

/**
 * The fence and the segment's row in one statement: what every segment waits for is asked once. Answers whether the segment
 * is new.
 */
const insertSegment = Effect.fnUntraced(function* (
  tx: Queryable,
  commit: SegmentCommit
): Effect.fn.Return<boolean, DatabaseError | LedgerError> {
  const rows = yield* tx.query(
    `WITH run AS MATERIALIZED (SELECT epoch FROM runs WHERE run_id = $1::uuid FOR SHARE),
     added AS (
       INSERT INTO segments
         (run_id, sink, seq, epoch, bytes, keys, pages, links, page_metadata, token_summaries, dead_letters, drift, tally, failures)
       SELECT $1::uuid, $2::text, $3::int, $4::int, $5::bigint, $6::bytea, $7::int, $8::int, $9::int, $10::int, $11::int,
         (SELECT array_agg(name) FROM json_array_elements_text($12::json) AS e (name)), $13::jsonb, $14::jsonb
       FROM run WHERE epoch = $4::int
       ON CONFLICT DO NOTHING RETURNING seq)
     SELECT epoch, EXISTS (SELECT FROM added) AS is_new FROM run`,
    [
      commit.runId,
      commit.sink,
      commit.seq,
      commit.epoch,
      commit.bytes,
      packKeys(commit.keys),
      commit.rows.pages,
      commit.rows.links,
      commit.rows.page_metadata,
      commit.rows.token_summaries,
      commit.deadLetters,
      JSON.stringify(commit.drift ?? []),
      JSON.stringify(commit.tally),
      commit.failures === undefined ? null : JSON.stringify(commit.failures)
    ]
  )
  yield* assertEpoch("commit", commit, rows)
  return rows[0]?.is_new === true
})

/** Only this database's own sink hands out a transaction under its store. */
const connectionOf = (database: Database, within: LedgerTransaction | undefined): Transaction | undefined =>
  within?.store === database.store ? (within.connection as Transaction) : undefined
