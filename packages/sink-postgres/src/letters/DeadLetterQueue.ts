import { Effect, Schema } from "effect"
import type { Database } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { conditionOf, type LetterFilter, parametersOf } from "./LetterFilter.ts"
import { type Replay, type ReplayOptions, replayLetters } from "./ReplayLetters.ts"

/** A record that was set aside, without the record itself. `replayedAt` is null while it has not been loaded again. */
export const Letter = Schema.Struct({
  letterNo: Schema.Int,
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
export type Letter = typeof Letter.Type

/** A letter with its record as JSON: page content, which belongs in no log. */
export const WholeLetter = Schema.Struct({ ...Letter.fields, raw: Schema.String })
export type WholeLetter = typeof WholeLetter.Type

const decodeLetters = Schema.decodeUnknownEffect(Schema.Array(Letter))
const decodeWhole = Schema.decodeUnknownEffect(Schema.Array(WholeLetter))

const columns = `letter_no AS "letterNo", run_id::text AS "runId", pipeline, sink, job_id AS "jobId", url, reason, detail,
  octet_length(raw) AS bytes, created_at AS "createdAt", replayed_at AS "replayedAt"`

/** Records that were set aside: to look at, and to load again. */
export interface DeadLetters {
  /** The newest first, at most `limit` (100 when absent); those that were loaded again only with `replayed`. Carries no content. */
  readonly list: (
    filter?: LetterFilter & { readonly limit?: number; readonly replayed?: boolean }
  ) => Effect.Effect<ReadonlyArray<Letter>, DatabaseError>
  /** One letter with its record; undefined where there is none of this number. */
  readonly get: (letterNo: number) => Effect.Effect<WholeLetter | undefined, DatabaseError>
  /**
   * Loads letters again into the sets their runs wrote, in the way the sink itself does: see {@link replayLetters}. A letter
   * lands once, whoever replays it and however often.
   */
  readonly replay: (filter: LetterFilter, options?: ReplayOptions) => Effect.Effect<Replay, DatabaseError>
}

/** The dead letters of a database, which must have been migrated. */
export const deadLetters = (database: Database["Service"]): DeadLetters => ({
  list: Effect.fn("DeadLetters.list")(function* ({ limit = 100, replayed = false, ...filter } = {}) {
    const rows = yield* database.query(
      `SELECT ${columns} FROM dead_letters WHERE ($1 OR replayed_at IS NULL) AND ${conditionOf(2)}
       ORDER BY letter_no DESC LIMIT ${Math.trunc(limit)}`,
      [replayed, ...parametersOf(filter)]
    )
    return yield* Effect.orDie(decodeLetters(rows))
  }),
  get: Effect.fn("DeadLetters.get")(function* (letterNo) {
    const rows = yield* database.query(`SELECT ${columns}, raw FROM dead_letters WHERE letter_no = $1`, [letterNo])
    return (yield* Effect.orDie(decodeWhole(rows)))[0]
  }),
  replay: (filter, options = {}) => replayLetters(database, filter, options)
})
