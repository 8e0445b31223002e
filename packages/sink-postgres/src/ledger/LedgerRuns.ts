import { type Ledger, Receipt } from "@sluice/core"
import {
  type Lease,
  LeaseHeld,
  LedgerError,
  RunExists,
  type RunHandle,
  type RunIntent,
  type RunSummary
} from "@sluice/core/sink"
import { Effect, Schema } from "effect"
import type { Database, Queryable } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { sharedRead } from "../database/sharedReads.ts"
import { keptUnpublished } from "./keptUnpublished.ts"
import { keepNotices } from "./LedgerOutbox.ts"
import { decodeOpenRuns, decodeRuns, openRunColumns, runColumns } from "./LedgerRows.ts"
import { costOf, restoreSubmissions } from "./LedgerSubmissions.ts"
import { fenced, isUuid, toInstant, toLedgerError, unknownRun } from "./ledgerErrors.ts"
import { makeRunId } from "./RunId.ts"

/** How a run begins, changes hands and ends. Leases go by the database's clock alone. */
export const ledgerRuns = (
  database: Database
): Pick<
  Ledger,
  | "begin"
  | "restore"
  | "open"
  | "takeOver"
  | "renew"
  | "suspend"
  | "end"
  | "reopen"
  | "published"
  | "unpublished"
  | "runs"
> => ({
  begin: Effect.fn("PostgresLedger.begin")(
    function* (intent, lease, options) {
      const runId = options?.runId ?? (yield* makeRunId(intent.startedAt))
      yield* database.transaction((tx) =>
        Effect.gen(function* () {
          if (options?.unlessOpen === true) yield* assertNoneOpen(tx, database, intent.pipeline)
          const begun = yield* tx.query(
            `INSERT INTO runs (run_id, pipeline, config_hash, started_at, holder, lease_until, session)
             VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 ms', $7) ON CONFLICT (run_id) DO NOTHING RETURNING 1`,
            begunRow(database, runId, intent, lease)
          )
          if (begun.length === 0) {
            return yield* new LedgerError({ operation: "begin", reason: new RunExists({ runId }) })
          }
        })
      )
      return { ...intent, runId, epoch: 1 }
    },
    Effect.mapError(toLedgerError("begin"))
  ),

  restore: Effect.fn("PostgresLedger.restore")(
    function* ({ epoch = 1, runId, submissions = [], ...intent }, lease, forgotten) {
      if (!isUuid(runId)) return yield* unknownRun("restore", runId)
      const rows = yield* database.transaction((tx) =>
        Effect.gen(function* () {
          const restored = yield* tx.query(
            `INSERT INTO runs AS r (run_id, pipeline, config_hash, started_at, holder, lease_until, session, epoch, replayed_from)
             VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 ms', $7, $8, $9)
             ON CONFLICT (run_id) DO UPDATE SET epoch = greatest(r.epoch + 1, excluded.epoch), status = 'running', config_hash = excluded.config_hash,
               finished_at = NULL, receipt = NULL, published_at = NULL, tokens = NULL, holder = excluded.holder,
               lease_until = excluded.lease_until, session = excluded.session
             WHERE r.holder IS NULL OR r.lease_until IS NULL OR r.lease_until <= now()
             RETURNING ${runColumns}`,
            [...begunRow(database, runId, intent, lease), epoch, intent.replayedFrom ?? null]
          )
          if (restored.length > 0 && forgotten.length > 0) {
            yield* tx.query(
              "DELETE FROM segments WHERE run_id = $1 AND sink IN (SELECT json_array_elements_text($2::json))",
              [runId, JSON.stringify(forgotten)]
            )
          }
          if (restored.length > 0) yield* restoreSubmissions(tx, runId, submissions)
          return restored
        })
      )
      const [run] = yield* decodeRuns(rows)
      if (run === undefined) return yield* notTaken(database, runId)
      return handleOf(run)
    },
    Effect.mapError(toLedgerError("restore"))
  ),

  open: Effect.fn("PostgresLedger.open")(
    function* (which) {
      if ("runId" in which && !isUuid(which.runId)) return undefined
      const rows =
        "runId" in which
          ? yield* database.query(openRun, [which.runId])
          : yield* database.query(lastRun, [which.pipeline])
      const [run] = yield* decodeOpenRuns(rows)
      if (run === undefined || run.finished_at !== null) return undefined
      return {
        runId: run.run_id,
        pipeline: run.pipeline,
        configHash: run.config_hash,
        startedAt: Date.parse(run.started_at),
        ...replayedFrom(run),
        holder: run.holder,
        leaseLeftMs: run.lease_left_ms
      }
    },
    Effect.mapError(toLedgerError("open"))
  ),

  takeOver: Effect.fn("PostgresLedger.takeOver")(
    function* (runId, lease, displacing) {
      if (!isUuid(runId)) return yield* unknownRun("take over", runId)
      yield* hangUp(database, runId, displacing)
      const rows = yield* database.query(
        `UPDATE runs SET epoch = epoch + 1, status = 'running', holder = $2, lease_until = now() + $3 * interval '1 ms',
           session = $5
         WHERE run_id = $1 AND ${takeable("$4")} RETURNING ${runColumns}`,
        [runId, lease.holder, lease.durationMs, displacing ?? null, database.session]
      )
      const [run] = yield* decodeRuns(rows)
      if (run === undefined) return yield* notTaken(database, runId)
      return handleOf(run)
    },
    Effect.mapError(toLedgerError("take over"))
  ),

  renew: Effect.fn("PostgresLedger.renew")(
    (run, lease) =>
      fenced(
        database,
        "renew",
        { ...run, lock: "NO KEY UPDATE" },
        `UPDATE runs SET holder = $2, lease_until = now() + $3 * interval '1 ms'
         WHERE run_id = $1 AND holder IS NOT NULL`,
        [run.runId, lease.holder, lease.durationMs]
      ),
    Effect.mapError(toLedgerError("renew"))
  ),

  suspend: Effect.fn("PostgresLedger.suspend")(
    (run, status, notices = []) =>
      fenced(
        database,
        "suspend",
        { ...run, lock: "NO KEY UPDATE" },
        `UPDATE runs SET status = $2, holder = NULL, lease_until = NULL
         WHERE run_id = $1 AND finished_at IS NULL RETURNING run_id`,
        [run.runId, status],
        (tx, changed) => (changed.length === 0 ? Effect.void : keepNotices(tx, run, notices))
      ),
    Effect.mapError(toLedgerError("suspend"))
  ),

  end: Effect.fn("PostgresLedger.end")(
    function* (run, receipt, notices = []) {
      const encoded = yield* Effect.orDie(Schema.encodeEffect(Schema.fromJsonString(Receipt))(receipt))
      yield* fenced(
        database,
        "end",
        { ...run, lock: "NO KEY UPDATE" },
        `UPDATE runs SET status = $2, finished_at = $3, receipt = $4, holder = NULL, lease_until = NULL,
           tokens = coalesce((${costOf("$1")}), 0)
         WHERE run_id = $1 AND finished_at IS NULL RETURNING run_id`,
        [run.runId, receipt.status, receipt.finished_at, encoded],
        (tx, changed) => (changed.length === 0 ? Effect.void : keepNotices(tx, run, notices))
      )
    },
    Effect.mapError(toLedgerError("end"))
  ),

  reopen: Effect.fn("PostgresLedger.reopen")(
    function* (runId, lease) {
      if (!isUuid(runId)) return yield* unknownRun("reopen", runId)
      const rows = yield* database.query(
        `UPDATE runs SET epoch = epoch + 1, status = 'running', holder = $2, lease_until = now() + $3 * interval '1 ms',
           session = $4, superseded_receipts = coalesce(superseded_receipts, '[]'::jsonb) || jsonb_build_array(receipt),
           receipt = NULL, finished_at = NULL, published_at = NULL, tokens = NULL
         WHERE run_id = $1 AND finished_at IS NOT NULL RETURNING ${runColumns}`,
        [runId, lease.holder, lease.durationMs, database.session]
      )
      const [run] = yield* decodeRuns(rows)
      if (run === undefined) return yield* notTaken(database, runId, "reopen")
      return handleOf(run)
    },
    Effect.mapError(toLedgerError("reopen"))
  ),

  published: Effect.fn("PostgresLedger.published")(
    (run, at) =>
      fenced(
        database,
        "published",
        { ...run, lock: "NO KEY UPDATE" },
        "UPDATE runs SET published_at = $2 WHERE run_id = $1 AND finished_at IS NOT NULL AND published_at IS NULL",
        [run.runId, toInstant(at)]
      ),
    Effect.mapError(toLedgerError("published"))
  ),

  unpublished: Effect.fn("PostgresLedger.unpublished")(
    function* (pipeline) {
      const rows = yield* database.query(`SELECT ${runColumns} FROM (${keptUnpublished("$1")}) r`, [pipeline])
      return (yield* decodeRuns(rows)).map(summaryOf)
    },
    Effect.mapError(toLedgerError("unpublished"))
  ),

  runs: Effect.fn("PostgresLedger.runs")(
    function* (options) {
      if (options.runId !== undefined && !isUuid(options.runId)) return []
      const rows = yield* database.query(listedRuns, [
        options.pipeline ?? null,
        options.limit,
        options.runId ?? null,
        options.idPrefix ?? null,
        options.status ?? null,
        options.since === undefined ? null : toInstant(options.since)
      ])
      return (yield* decodeRuns(rows)).map(summaryOf)
    },
    Effect.mapError(toLedgerError("runs"))
  )
})

/** A run as it begins, in the order of the columns it is inserted into. */
const begunRow = ({ session }: Database, runId: string, intent: RunIntent, lease: Lease): ReadonlyArray<unknown> => [
  runId,
  intent.pipeline,
  intent.configHash,
  toInstant(intent.startedAt),
  lease.holder,
  lease.durationMs,
  session
]

type RunRow = Effect.Success<ReturnType<typeof decodeRuns>>[number]

const summaryOf = (run: RunRow): RunSummary => ({
  runId: run.run_id,
  pipeline: run.pipeline,
  configHash: run.config_hash,
  status: run.status,
  startedAt: Date.parse(run.started_at),
  ...replayedFrom(run),
  epoch: run.epoch,
  finishedAt: run.finished_at === null ? null : Date.parse(run.finished_at),
  publishedAt: run.published_at === null ? null : Date.parse(run.published_at),
  receipt: run.receipt,
  superseded: run.superseded_receipts ?? []
})

const handleOf = (run: RunRow): RunHandle => ({
  runId: run.run_id,
  pipeline: run.pipeline,
  configHash: run.config_hash,
  startedAt: Date.parse(run.started_at),
  ...replayedFrom(run),
  epoch: run.epoch
})

const replayedFrom = ({ replayed_from }: Pick<RunRow, "replayed_from">): Pick<RunIntent, "replayedFrom"> =>
  replayed_from === null ? {} : { replayedFrom: replayed_from }

const listedRuns = sharedRead(
  `SELECT ${runColumns} FROM runs WHERE ($1::text IS NULL OR pipeline = $1) AND ($3::uuid IS NULL OR run_id = $3)
     AND ($4::text IS NULL OR starts_with(run_id::text, $4)) AND ($5::text IS NULL OR status = $5)
     AND ($6::timestamptz IS NULL OR started_at >= $6)
   ORDER BY started_at DESC, run_id DESC LIMIT $2`
)

const openRun = sharedRead(`SELECT ${openRunColumns} FROM runs WHERE run_id = $1`)

const lastRun = `SELECT ${openRunColumns} FROM runs WHERE pipeline = $1 ORDER BY started_at DESC, run_id DESC LIMIT 1`

/** Fails where the pipeline's last run has not ended. Another process that asks waits until the transaction has ended. */
const assertNoneOpen = Effect.fnUntraced(function* (
  tx: Queryable,
  { schema }: Database,
  pipeline: string
): Effect.fn.Return<void, DatabaseError | LedgerError> {
  yield* tx.query("SELECT pg_advisory_xact_lock(hashtextextended('sluice_runs ' || $1 || ' ' || $2, 0))", [
    schema,
    pipeline
  ])
  const [last] = yield* decodeOpenRuns(yield* tx.query(lastRun, [pipeline]))
  if (last === undefined || last.finished_at !== null) return
  return yield* new LedgerError({
    operation: "begin",
    reason: new LeaseHeld({ runId: last.run_id, holder: last.holder ?? "another process" })
  })
})

/** Whether a run may be taken over, by a process that may displace the holder named by a parameter. */
const takeable = (displacing: string) =>
  `finished_at IS NULL AND (holder IS NULL OR lease_until IS NULL OR lease_until <= now() OR holder = ${displacing})`

/**
 * Ends the connections of the process a run is about to be taken from. One that was stopped in the middle of a transaction
 * would hold its locks for as long as it is stopped, and both the takeover and the pages that follow would wait for them.
 */
const hangUp = (
  database: Database,
  runId: string,
  displacing: string | undefined
): Effect.Effect<void, DatabaseError> =>
  database.session === null
    ? Effect.void
    : database
        .query(
          `SELECT pg_terminate_backend(a.pid) FROM runs r JOIN pg_stat_activity a ON a.application_name = r.session
           WHERE r.run_id = $1 AND ${takeable("$2")} AND a.datname = current_database() AND a.pid <> pg_backend_pid()
             AND r.session <> $3`,
          [runId, displacing ?? null, database.session]
        )
        .pipe(
          // Another role's connections may not be ended: then there is nothing but to wait for them.
          Effect.catchIf(
            (error) => error.reason._tag === "Denied",
            () => Effect.void
          ),
          Effect.asVoid
        )

/** Says why a run was not taken over. */
const notTaken = Effect.fnUntraced(function* (
  database: Database,
  runId: string,
  operation = "take over"
): Effect.fn.Return<never, DatabaseError | LedgerError> {
  const [row] = yield* database.query("SELECT holder FROM runs WHERE run_id = $1 AND finished_at IS NULL", [runId])
  if (row === undefined) return yield* unknownRun(operation, runId)
  return yield* new LedgerError({
    operation,
    reason: new LeaseHeld({ runId, holder: String(row.holder ?? "another process") })
  })
})
