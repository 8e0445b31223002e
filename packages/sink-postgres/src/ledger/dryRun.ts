import type { Ledger, Receipt } from "@sluice/core"
import { LedgerError, LedgerUnavailable, noRows, noTally, type RunHandle } from "@sluice/core/sink"
import { Clock, Effect, Stream } from "effect"
import type { Database } from "../database/Database.ts"
import { DatabaseError, inFull, Other } from "../database/DatabaseError.ts"
import { takeBack } from "../database/nestedDatabase.ts"
import { toLedgerError } from "./ledgerErrors.ts"

/** More than wait for a pipeline. */
const mostNotices = 10_000

const emptyReceipt = ({ runId }: RunHandle, pipeline: string): Receipt => ({
  run_id: runId,
  pipeline,
  config_hash: "",
  status: "failed",
  started_at: "",
  finished_at: "",
  jobs: [],
  pages: { discovered: 0, completed: 0, failed: 0, cancelled: 0, delivered: 0 },
  tokens: { charged: 0, reserved: 0 },
  sinks: [],
  requests: { submitted: 0, reads: 0, retries: 0 }
})

/**
 * Writes what a run leaves in the ledger, reads it back, and takes all of it back: a right, a trigger or a rule in the way shows
 * before anything is paid. `make` is the ledger over a database.
 */
export const dryRun = (database: Database, make: (nested: Database) => Ledger): Required<Pick<Ledger, "dryRun">> => ({
  dryRun: Effect.fn("PostgresLedger.dryRun")((pipeline) =>
    takeBack(database, (nested) =>
      Effect.gen(function* () {
        const ledger = make(nested)
        const now = yield* Clock.currentTimeMillis
        const lease = { holder: "dry run", durationMs: 60_000 }
        const run = yield* ledger.begin({ pipeline, configHash: "", startedAt: now }, lease)
        yield* mustBeThere(
          "runs",
          Effect.map(ledger.open({ runId: run.runId }), (open) => open !== undefined)
        )
        yield* ledger.recordIntent(run, {
          ordinal: 0,
          kind: "crawl",
          url: "https://dry-run.invalid/",
          requestHash: "",
          submittedAt: now,
          tokens: 1
        })
        yield* ledger.recordJob(run, 0, jobId)
        yield* mustBeThere(
          "submissions",
          Effect.map(Stream.runCollect(ledger.submissions(run.runId)), (found) => found[0]?.jobId === jobId)
        )
        yield* ledger.commit({
          runId: run.runId,
          epoch: run.epoch,
          sink: "dry run",
          seq: 0,
          bytes: 0,
          keys: [],
          rows: noRows,
          deadLetters: 0,
          tally: noTally,
          jobs: []
        })
        yield* mustBeThere(
          "segments",
          Effect.map(Stream.runCollect(ledger.committed(run.runId, "dry run")), (found) => found.length === 1)
        )
        yield* ledger.renew(run, lease)
        yield* ledger.suspend(run, "failed", [
          { target: "dry run", event: "failed", receipt: emptyReceipt(run, pipeline) }
        ])
        yield* mustBeThere(
          "notices",
          Effect.map(ledger.outbox?.pending(pipeline, mostNotices) ?? Effect.succeed([]), (found) =>
            found.some(({ target }) => target === "dry run")
          )
        )
      })
    ).pipe(Effect.mapError((error) => toLedgerError("dry run")(inFullLedger(error))))
  )
})

const jobId = "sluice-dry-run"

const mustBeThere = Effect.fnUntraced(function* (table: string, isThere: Effect.Effect<boolean, LedgerError>) {
  if (yield* isThere) return
  const detail = `a trigger or a rule drops the rows that Sluice writes to the table "${table}", which it cannot do without`
  return yield* new DatabaseError({ operation: "dry run", reason: new Other({ sqlState: "", detail }) })
})

/** The rows are made up: what the server says of them may be told in full. */
const inFullLedger = (error: DatabaseError | LedgerError): DatabaseError | LedgerError => {
  if (error._tag === "DatabaseError") return inFull(error)
  const { reason } = error
  return reason._tag === "LedgerUnavailable" && reason.cause instanceof DatabaseError
    ? new LedgerError({ operation: error.operation, reason: new LedgerUnavailable({ cause: inFull(reason.cause) }) })
    : error
}
