import { Fenced, LedgerError, LedgerUnavailable, type RunHandle, UnknownRun } from "@sluice/core/sink"
import { DateTime, Effect, Schema } from "effect"
import type { Database, Queryable, Row, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"

/** Run ids are UUIDs; anything else is no run of ours, and is not asked of the database. */
export const isUuid = Schema.is(Schema.String.check(Schema.isUUID()))

/** An instant as the database reads it. */
export const toInstant = (milliseconds: number): string => DateTime.formatIso(DateTime.makeUnsafe(milliseconds))

/** Fails because there is no such run. */
export const unknownRun = (operation: string, runId: string): Effect.Effect<never, LedgerError> =>
  Effect.fail(new LedgerError({ operation, reason: new UnknownRun({ runId }) }))

/** Puts failures of the database in the ledger's words. */
export const toLedgerError =
  (operation: string) =>
  (error: DatabaseError | LedgerError): LedgerError =>
    error._tag === "LedgerError"
      ? error
      : new LedgerError({ operation, reason: new LedgerUnavailable({ cause: error, detail: error.reason.detail }) })

/** What the ledger says is on disk before anything follows from it, whatever a role or a database is set to. */
const durably = `CASE WHEN current_setting('synchronous_commit') = 'off'
  THEN set_config('synchronous_commit', 'on', true) END`

/** How a run's row is held. */
type FenceLock = "SHARE" | "NO KEY UPDATE"

/**
 * Proves the epoch and keeps it from being raised until the transaction ends. A shared lock by default: two segments of a run
 * commit side by side, only a takeover waits. Who updates the run's row takes the update's own lock at once: a shared one that
 * has to grow could meet another's that has to as well.
 */
export const fence = Effect.fnUntraced(function* (
  tx: Queryable,
  operation: string,
  run: Pick<RunHandle, "runId" | "epoch">,
  lock: FenceLock = "SHARE"
): Effect.fn.Return<void, DatabaseError | LedgerError> {
  if (!isUuid(run.runId)) return yield* unknownRun(operation, run.runId)
  const rows = yield* tx.query(`SELECT epoch, ${durably} FROM runs WHERE run_id = $1 FOR ${lock}`, [run.runId])
  yield* assertEpoch(operation, run, rows)
})

/** Compares a run's epoch with the one that was read under a lock. */
export const assertEpoch = (
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

/** One statement under a run's epoch, with the lock its {@link fence} takes, and what follows it in the same transaction. */
export const fenced = (
  database: Database,
  operation: string,
  run: Pick<RunHandle, "runId" | "epoch"> & { readonly lock: FenceLock },
  sql: string,
  parameters: ReadonlyArray<unknown>,
  further: (tx: Transaction, rows: ReadonlyArray<Row>) => Effect.Effect<void, DatabaseError> = () => Effect.void
): Effect.Effect<void, DatabaseError | LedgerError> =>
  database.transaction((tx) =>
    Effect.andThen(
      fence(tx, operation, run, run.lock),
      Effect.flatMap(tx.query(sql, parameters), (rows) => further(tx, rows))
    )
  )
