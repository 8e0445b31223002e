import {
  type CommittedKeys,
  Fenced,
  type Ledger,
  LedgerError,
  type LedgerTransaction,
  LedgerUnavailable,
  Receipt,
  type RunHandle,
  type SegmentCommit,
  UnknownRun
} from "@sluice/core"
import { DateTime, Effect, Option, Schema, Stream } from "effect"
import { packKeys, unpackKeys } from "./CommittedKeys.ts"
import type { Database, Queryable, Row, Transaction } from "./Database.ts"
import type { DatabaseError } from "./DatabaseError.ts"
import { cleanText } from "./DirtyRecords.ts"
import { decodeKeys, decodeRuns, decodeSubmissions, runColumns } from "./LedgerRows.ts"
import { makeRunId } from "./RunId.ts"

const submissionsAtOnce = 500
const segmentsAtOnce = 50

/** The ledger in a database that has been migrated. Commits of the same database's sink run inside its transaction. */
export const make = (database: Database["Service"]): Ledger => ({
  store: database.store,

  begin: Effect.fn("PostgresLedger.begin")(
    function* (intent) {
      const runId = yield* makeRunId(intent.startedAt)
      yield* database.query("INSERT INTO runs (run_id, pipeline, config_hash, started_at) VALUES ($1, $2, $3, $4)", [
        runId,
        intent.pipeline,
        intent.configHash,
        toInstant(intent.startedAt)
      ])
      return { ...intent, runId, epoch: 1 }
    },
    Effect.mapError(toLedgerError("begin"))
  ),

  takeOver: Effect.fn("PostgresLedger.takeOver")(
    function* (runId) {
      if (!isUuid(runId)) return yield* unknownRun("takeOver", runId)
      const rows = yield* database.query(
        `UPDATE runs SET epoch = epoch + 1 WHERE run_id = $1 AND finished_at IS NULL RETURNING ${runColumns}`,
        [runId]
      )
      const [run] = yield* decodeRuns(rows)
      if (run === undefined) return yield* unknownRun("takeOver", runId)
      return {
        runId,
        pipeline: run.pipeline,
        configHash: run.config_hash,
        startedAt: Date.parse(run.started_at),
        epoch: run.epoch
      }
    },
    Effect.mapError(toLedgerError("takeOver"))
  ),

  intend: Effect.fn("PostgresLedger.intend")(
    function* (run, intent) {
      yield* database.transaction((tx) =>
        fence(tx, "intend", run).pipe(
          Effect.andThen(
            tx.query(
              `INSERT INTO submissions (run_id, ordinal, kind, url, request_hash, submitted_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
              [
                run.runId,
                intent.ordinal,
                intent.kind,
                cleanText(intent.url),
                intent.requestHash,
                toInstant(intent.submittedAt)
              ]
            )
          )
        )
      )
    },
    Effect.mapError(toLedgerError("intend"))
  ),

  submitted: Effect.fn("PostgresLedger.submitted")(
    function* (run, ordinal, jobId) {
      yield* database.transaction((tx) =>
        fence(tx, "submitted", run).pipe(
          Effect.andThen(
            tx.query("UPDATE submissions SET job_id = $3 WHERE run_id = $1 AND ordinal = $2", [
              run.runId,
              ordinal,
              jobId
            ])
          )
        )
      )
    },
    Effect.mapError(toLedgerError("submitted"))
  ),

  submissions: (runId) =>
    !isUuid(runId)
      ? Stream.empty
      : pages(submissionsAtOnce, -1, (after) =>
          database
            .query(
              `SELECT ordinal, kind, url, request_hash, submitted_at, job_id FROM submissions
               WHERE run_id = $1 AND ordinal > $2 ORDER BY ordinal LIMIT ${submissionsAtOnce}`,
              [runId, after]
            )
            .pipe(Effect.mapError(toLedgerError("submissions")), Effect.flatMap(decodeSubmissions))
        )((row) => row.ordinal).pipe(
          Stream.map((row) => ({
            ordinal: row.ordinal,
            kind: row.kind,
            url: row.url,
            requestHash: row.request_hash,
            submittedAt: Date.parse(row.submitted_at),
            jobId: row.job_id
          }))
        ),

  commit: Effect.fn("PostgresLedger.commit")(
    function* (commit, within) {
      const connection = connectionOf(database, within)
      const record = (tx: Queryable) => Effect.andThen(fence(tx, "commit", commit), insertSegment(tx, commit))
      yield* connection === undefined ? database.transaction(record) : record(connection)
    },
    Effect.mapError(toLedgerError("commit"))
  ),

  committed: (runId, sink) =>
    !isUuid(runId)
      ? Stream.empty
      : pages(segmentsAtOnce, -1, (after) =>
          database
            .query(
              `SELECT sink, seq, encode(keys, 'base64') AS keys FROM segments
               WHERE run_id = $1 AND sink = $2 AND seq > $3 ORDER BY seq LIMIT ${segmentsAtOnce}`,
              [runId, sink, after]
            )
            .pipe(Effect.mapError(toLedgerError("committed")), Effect.flatMap(decodeKeys))
        )((row) => row.seq).pipe(
          Stream.flatMap(
            (row): Stream.Stream<CommittedKeys> => Stream.fromIterable(unpackKeys(Buffer.from(row.keys, "base64")))
          )
        ),

  end: Effect.fn("PostgresLedger.end")(
    function* (run, receipt) {
      const encoded = yield* Effect.orDie(Schema.encodeEffect(Schema.fromJsonString(Receipt))(receipt))
      yield* database.transaction((tx) =>
        fence(tx, "end", run).pipe(
          Effect.andThen(
            tx.query("UPDATE runs SET status = $2, finished_at = $3, receipt = $4 WHERE run_id = $1", [
              run.runId,
              receipt.status,
              receipt.finished_at,
              encoded
            ])
          )
        )
      )
    },
    Effect.mapError(toLedgerError("end"))
  ),

  runs: Effect.fn("PostgresLedger.runs")(
    function* (options) {
      const rows = yield* database.query(
        `SELECT ${runColumns} FROM runs WHERE $1::text IS NULL OR pipeline = $1
       ORDER BY started_at DESC, run_id DESC LIMIT $2`,
        [options.pipeline ?? null, options.limit]
      )
      return (yield* decodeRuns(rows)).map((run) => ({
        runId: run.run_id,
        pipeline: run.pipeline,
        configHash: run.config_hash,
        status: run.status,
        startedAt: Date.parse(run.started_at),
        finishedAt: run.finished_at === null ? null : Date.parse(run.finished_at),
        receipt: run.receipt
      }))
    },
    Effect.mapError(toLedgerError("runs"))
  )
})

/** Rows in pages of `size`, each after the key of the last. */
const pages =
  <A>(size: number, first: number, read: (after: number) => Effect.Effect<ReadonlyArray<A>, LedgerError>) =>
  (key: (row: A) => number) =>
    Stream.paginate(first, (after) =>
      Effect.map(read(after), (rows) => {
        const last = rows.at(-1)
        return [rows, rows.length < size || last === undefined ? Option.none() : Option.some(key(last))] as const
      })
    )

/**
 * Proves the epoch and keeps it from being raised until the transaction ends. A shared lock: two segments of a run commit
 * side by side, only a takeover waits.
 */
const fence = Effect.fnUntraced(function* (
  tx: Queryable,
  operation: string,
  run: Pick<RunHandle, "runId" | "epoch">
): Effect.fn.Return<void, DatabaseError | LedgerError> {
  if (!isUuid(run.runId)) return yield* unknownRun(operation, run.runId)
  yield* proveEpoch(operation, run, yield* tx.query("SELECT epoch FROM runs WHERE run_id = $1 FOR SHARE", [run.runId]))
})

const proveEpoch = (
  operation: string,
  run: Pick<RunHandle, "runId" | "epoch">,
  rows: ReadonlyArray<Row>
): Effect.Effect<void, LedgerError> => {
  if (rows[0] === undefined) return unknownRun(operation, run.runId)
  const current = Number(rows[0].epoch)
  return current === run.epoch
    ? Effect.void
    : Effect.fail(new LedgerError({ operation, reason: new Fenced({ epoch: run.epoch, current }) }))
}

/** {@link fence} and the segment's row in one statement: what every segment waits for is asked once. */
const insertSegment = Effect.fnUntraced(function* (
  tx: Queryable,
  commit: SegmentCommit
): Effect.fn.Return<void, DatabaseError | LedgerError> {
  if (!isUuid(commit.runId)) return yield* unknownRun("commit", commit.runId)
  const rows = yield* tx.query(
    `WITH run AS MATERIALIZED (SELECT epoch FROM runs WHERE run_id = $1::uuid FOR SHARE),
     added AS (
       INSERT INTO segments
         (run_id, sink, seq, epoch, bytes, keys, pages, links, page_metadata, token_summaries, dead_letters)
       SELECT $1::uuid, $2::text, $3::int, $4::int, $5::bigint, $6::bytea, $7::int, $8::int, $9::int, $10::int, $11::int
       FROM run WHERE epoch = $4::int
       ON CONFLICT DO NOTHING)
     SELECT epoch FROM run`,
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
      commit.deadLetters
    ]
  )
  yield* proveEpoch("commit", commit, rows)
})

/** Only this database's own sink hands out a transaction under its store. */
const connectionOf = (database: Database["Service"], within: LedgerTransaction | undefined): Transaction | undefined =>
  within?.store === database.store ? (within.connection as Transaction) : undefined

const isUuid = Schema.is(Schema.String.check(Schema.isUUID()))

const toInstant = (milliseconds: number): string => DateTime.formatIso(DateTime.makeUnsafe(milliseconds))

const unknownRun = (operation: string, runId: string): Effect.Effect<never, LedgerError> =>
  Effect.fail(new LedgerError({ operation, reason: new UnknownRun({ runId }) }))

function toLedgerError(operation: string) {
  return (error: DatabaseError | LedgerError): LedgerError =>
    error._tag === "LedgerError"
      ? error
      : new LedgerError({ operation, reason: new LedgerUnavailable({ cause: error }) })
}
