import { Effect, Schema } from "effect"
import type { Database } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { conditionOf, type DeadLetterFilter, parametersOf } from "./DeadLetterFilter.ts"
import { type Replay, type ReplayOptions, replayDeadLetters } from "./replayDeadLetters.ts"

/** A quarantined record without its content. `replayedAt` is null until it is loaded again. */
export const DeadLetterSummary = Schema.Struct({
  id: Schema.Int,
  runId: Schema.String,
  pipeline: Schema.NullOr(Schema.String),
  sink: Schema.String,
  jobId: Schema.String,
  url: Schema.String,
  /** `nul_byte`, `lone_surrogate`, `out_of_range`, `refused` (by the server) or `contract` (the API's result does not fit it). */
  reason: Schema.String,
  detail: Schema.String,
  /** What the record weighs as JSON. */
  bytes: Schema.Int,
  createdAt: Schema.String,
  replayedAt: Schema.NullOr(Schema.String)
})
export type DeadLetterSummary = typeof DeadLetterSummary.Type

/** A dead letter with its record as JSON: page content, which belongs in no log. */
export const FullDeadLetter = Schema.Struct({ ...DeadLetterSummary.fields, raw: Schema.String })
export type FullDeadLetter = typeof FullDeadLetter.Type

const decodeDeadLetters = Schema.decodeUnknownEffect(Schema.Array(DeadLetterSummary))
const decodeWhole = Schema.decodeUnknownEffect(Schema.Array(FullDeadLetter))

const columns = `letter_no AS "id", run_id::text AS "runId", pipeline, sink, job_id AS "jobId", url, reason, detail,
  octet_length(raw) AS bytes, created_at AS "createdAt", replayed_at AS "replayedAt"`

/** The quarantined records of a database: to read, and to load again. */
export interface DeadLetters {
  /** The newest first, at most `limit` (100 when absent); those that were loaded again only with `replayed`. Carries no content. */
  readonly list: (
    filter?: DeadLetterFilter & { readonly limit?: number; readonly replayed?: boolean }
  ) => Effect.Effect<ReadonlyArray<DeadLetterSummary>, DatabaseError>
  /** One dead letter with its record; undefined where no dead letter has this ID. */
  readonly get: (id: number) => Effect.Effect<FullDeadLetter | undefined, DatabaseError>
  /**
   * Loads dead letters into the page sets of their runs, as the sink itself does: see {@link replayDeadLetters}. Each is loaded
   * once, even if several processes replay it.
   */
  readonly replay: (filter: DeadLetterFilter, options?: ReplayOptions) => Effect.Effect<Replay, DatabaseError>
}

/**
 * The dead letters of a database, which must have been migrated: `list` them, `get` one with its content, `replay` them into the
 * page sets of their runs. Each is loaded once, even if several processes replay it.
 *
 * `get` returns page content, which belongs in no log. `bytes` is the size of the record as JSON. All fail with a `DatabaseError`.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Effect } from "effect"
 *
 * const again = Effect.gen(function* () {
 *   const letters = Postgres.deadLetters(yield* Postgres.open({ directory: "./.sluice/db" }))
 *   const summaries = yield* letters.list({ pipeline: "docs", limit: 20 })
 *   yield* letters.replay({ pipeline: "docs" })
 *   return summaries
 * }).pipe(Effect.scoped)
 * ```
 */
export const deadLetters = (database: Database): DeadLetters => ({
  list: Effect.fn("DeadLetters.list")(function* ({ limit = 100, replayed = false, ...filter } = {}) {
    const rows = yield* database.query(
      `SELECT ${columns} FROM dead_letters WHERE ($1 OR replayed_at IS NULL) AND ${conditionOf(2)}
       ORDER BY letter_no DESC LIMIT ${Math.trunc(limit)}`,
      [replayed, ...parametersOf(filter)]
    )
    return yield* Effect.orDie(decodeDeadLetters(rows))
  }),
  get: Effect.fn("DeadLetters.get")(function* (id) {
    const rows = yield* database.query(`SELECT ${columns}, raw FROM dead_letters WHERE letter_no = $1`, [id])
    return (yield* Effect.orDie(decodeWhole(rows)))[0]
  }),
  replay: (filter, options = {}) => replayDeadLetters(database, filter, options)
})
