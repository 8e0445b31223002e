import { type Ledger, Receipt } from "@sluice/core"
import type { Notice, NoticeDraft, RunHandle } from "@sluice/core/sink"
import { Effect, Schema } from "effect"
import type { Database, Queryable } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { toLedgerError } from "./ledgerErrors.ts"

/** A notice that could not be delivered so often, or for so many days, is given up. Settled ones are removed after that time too. */
const mostAttempts = 50
const keptDays = 14

const NoticeRow = Schema.Struct({
  notice_id: Schema.String,
  target: Schema.String,
  event: Schema.String,
  receipt: Receipt,
  created_at: Schema.String,
  attempts: Schema.Int
})
const decodeNotices = (rows: unknown) => Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(NoticeRow))(rows))

/** Keeps notices in the transaction that ends an attempt: one a run, epoch, target and event. */
export const keepNotices = (
  tx: Queryable,
  run: RunHandle,
  notices: ReadonlyArray<NoticeDraft>
): Effect.Effect<void, DatabaseError> =>
  Effect.forEach(
    notices,
    ({ event, receipt, target }) =>
      Effect.flatMap(Effect.orDie(Schema.encodeEffect(Schema.fromJsonString(Receipt))(receipt)), (encoded) =>
        tx.query(
          // By the clock, not by the transaction: they are delivered in the order of their targets.
          `INSERT INTO notices (notice_id, run_id, epoch, pipeline, target, event, receipt, created_at)
           VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, clock_timestamp()) ON CONFLICT DO NOTHING`,
          [run.runId, run.epoch, run.pipeline, target, event, encoded]
        )
      ),
    { discard: true }
  )

/** The notices of a database. */
export const ledgerOutbox = (database: Database): Required<Pick<Ledger, "outbox">> => ({
  outbox: {
    pending: Effect.fn("PostgresLedger.pending")(
      function* (pipeline, limit) {
        yield* database.query(`DELETE FROM notices WHERE created_at < now() - interval '${keptDays} days'`)
        const rows = yield* database.query(
          `SELECT notice_id::text, target, event, receipt, created_at, attempts FROM notices
           WHERE pipeline = $1 AND settled_at IS NULL ORDER BY created_at, notice_id LIMIT $2`,
          [pipeline, limit]
        )
        return (yield* decodeNotices(rows)).map(
          ({ attempts, created_at: createdAt, event, notice_id: noticeId, receipt, target }): Notice => ({
            noticeId,
            target,
            event,
            receipt,
            createdAt: Date.parse(createdAt),
            attempts
          })
        )
      },
      Effect.mapError(toLedgerError("read notices"))
    ),
    settle: Effect.fn("PostgresLedger.settle")(
      (noticeId, isDelivered) =>
        database.query(
          `UPDATE notices SET attempts = attempts + CASE WHEN $2::boolean THEN 0 ELSE 1 END,
             settled_at = CASE WHEN $2::boolean OR attempts + 1 >= ${mostAttempts} THEN now() END
           WHERE notice_id = $1 AND settled_at IS NULL`,
          [noticeId, isDelivered]
        ),
      Effect.asVoid,
      Effect.mapError(toLedgerError("settle a notice"))
    ),
    lastEvent: Effect.fn("PostgresLedger.lastEvent")(
      function* (pipeline) {
        const [row] = yield* database.query(
          "SELECT event FROM notices WHERE pipeline = $1 ORDER BY created_at DESC, notice_id LIMIT 1",
          [pipeline]
        )
        return row === undefined ? undefined : String(row.event)
      },
      Effect.mapError(toLedgerError("read notices"))
    )
  }
})
