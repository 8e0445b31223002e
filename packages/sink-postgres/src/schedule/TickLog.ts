import { Effect, Schema } from "effect"
import { v5 } from "uuid"
import type { Database, Row } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { toInstant } from "../ledger/ledgerErrors.ts"

/**
 * What became of a tick: `due` until its run begins; `begun`; `skipped`, since the run before had not ended; `missed`, since no worker
 * ran and the schedule does not catch up; `paused`.
 */
export type TickState = "due" | "begun" | "skipped" | "missed" | "paused"

/** What is decided about a tick. Instants are epoch milliseconds; it starts at `startAt`, which is not before `dueAt`. */
export interface TickDecision {
  readonly dueAt: number
  readonly startAt: number
  readonly state: TickState
}

/** A tick as the log holds it, and the ID that its run has or will have. */
export interface Tick extends TickDecision {
  readonly pipeline: string
  readonly runId: string
}

/** The newest run of a pipeline, where it has not ended. */
export interface OpenScheduledRun {
  readonly runId: string
  /** `running` while it is carried out, and after a crash; else how its last attempt ended. */
  readonly status: string
  readonly holder: string | null
  /** How long its lease holds, in milliseconds; 0 or less is past. */
  readonly leaseLeftMs: number
}

/** Where a scheduled pipeline is. */
export interface ScheduledState {
  readonly pipeline: string
  /** Ticks up to here have been decided; epoch milliseconds of the database's clock, as `now` is. */
  readonly decidedUntil: number
  readonly now: number
  /** The oldest tick that may start now, and whose run has not begun. */
  readonly next: Pick<Tick, "dueAt" | "runId"> | undefined
  readonly open: OpenScheduledRun | undefined
}

/**
 * The ticks of schedules, in the database that the runs of their pipelines are in. Workers that share the database share the ticks:
 * each is decided once, under a lock, by the database's clock, and has one run ID everywhere.
 */
export interface TickLog {
  /** Where each of these pipelines is; one that is new has its ticks decided from now on. One statement. */
  readonly states: (pipelines: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<ScheduledState>, DatabaseError>
  /**
   * Decides the ticks since the last decision. `decide` gets both instants, and is called once at a time for each pipeline among all
   * workers. Answers what was decided.
   */
  readonly decide: (
    pipeline: string,
    decide: (since: number, now: number) => ReadonlyArray<TickDecision>
  ) => Effect.Effect<ReadonlyArray<Tick>, DatabaseError>
  /** Records that a tick was skipped. Answers whether it was still due. */
  readonly skip: (pipeline: string, dueAt: number) => Effect.Effect<boolean, DatabaseError>
  /** Records which ticks of a pipeline have begun: those whose run exists. */
  readonly recordBegun: (pipeline: string) => Effect.Effect<void, DatabaseError>
  /** The newest ticks of a pipeline, newest first. */
  readonly list: (pipeline: string, limit: number) => Effect.Effect<ReadonlyArray<Tick>, DatabaseError>
}

/** Names the runs of ticks: the same tick has the same run ID in every process. */
const namespace = "6d1f3a52-7c58-5d0e-9a0b-1b8f4c6f2e11"

/** The run ID of a tick. */
const runIdOf = (pipeline: string, dueAt: number): string =>
  v5(`${pipeline}\n${new Date(dueAt).toISOString()}`, namespace)

/**
 * The tick log of a database that has been migrated. Its operations fail with a `DatabaseError`. Instants are epoch milliseconds.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Effect } from "effect"
 *
 * const lastTicks = Effect.gen(function* () {
 *   const database = yield* Postgres.open({ url: "postgres://localhost/lake" })
 *   yield* Postgres.migrate(database)
 *   return yield* Postgres.tickLog(database).list("docs", 10)
 * }).pipe(Effect.scoped)
 * ```
 */
export const make = (database: Database): TickLog => ({
  states: Effect.fn("TickLog.states")(function* (pipelines) {
    const names = JSON.stringify(pipelines)
    const read = database.query(statesOf, [names])
    const rows = yield* read
    // Rows are written where one is missing only, so that idle workers write nothing.
    if (rows.every(({ decided_until }) => decided_until !== null)) return (yield* decodeStates(rows)).map(stateOf)
    yield* database.query(addMissing, [names])
    return (yield* decodeStates(yield* read)).map(stateOf)
  }),

  decide: Effect.fn("TickLog.decide")(function* (pipeline, decide) {
    return yield* database.transaction((tx) =>
      Effect.gen(function* () {
        yield* tx.query("SELECT FROM schedules WHERE pipeline = $1 FOR UPDATE", [pipeline])
        // The transaction may have begun before the one it waited for: its own now() would be in the past.
        const [row] = yield* tx.query(
          `SELECT ${millis("decided_until")} AS since, ${millis("greatest(clock_timestamp(), decided_until)")} AS now
           FROM schedules WHERE pipeline = $1`,
          [pipeline]
        )
        if (row === undefined) return []
        const { now, since } = yield* decodeSpan(row)
        const decided = decide(since, now).map(
          (tick): Tick => ({ ...tick, pipeline, runId: runIdOf(pipeline, tick.dueAt) })
        )
        yield* tx.query(
          `INSERT INTO ticks (pipeline, due_at, start_at, run_id, state)
           SELECT $1, due_at, start_at, run_id, state
           FROM json_to_recordset($2::json) AS t (due_at timestamptz, start_at timestamptz, run_id uuid, state text)
           ON CONFLICT (pipeline, due_at) DO NOTHING`,
          [
            pipeline,
            JSON.stringify(
              decided.map(({ dueAt, runId, startAt, state }) => ({
                due_at: toInstant(dueAt),
                start_at: toInstant(startAt),
                run_id: runId,
                state
              }))
            )
          ]
        )
        yield* tx.query("UPDATE schedules SET decided_until = $2 WHERE pipeline = $1", [pipeline, toInstant(now)])
        return decided
      })
    )
  }),

  skip: Effect.fn("TickLog.skip")(function* (pipeline, dueAt) {
    const skipped = yield* database.query(
      `UPDATE ticks SET state = 'skipped' WHERE pipeline = $1 AND due_at = $2 AND state = 'due'
         AND NOT EXISTS (SELECT FROM runs r WHERE r.run_id = ticks.run_id) RETURNING 1`,
      [pipeline, toInstant(dueAt)]
    )
    return skipped.length > 0
  }),

  recordBegun: Effect.fn("TickLog.recordBegun")(function* (pipeline) {
    yield* database.query(
      `UPDATE ticks SET state = 'begun' WHERE pipeline = $1 AND state = 'due'
         AND EXISTS (SELECT FROM runs r WHERE r.run_id = ticks.run_id)`,
      [pipeline]
    )
  }),

  list: Effect.fn("TickLog.list")(function* (pipeline, limit) {
    const rows = yield* database.query(
      `SELECT pipeline, ${millis("due_at")} AS due_at, ${millis("start_at")} AS start_at, run_id::text,
         CASE WHEN state = 'due' AND EXISTS (SELECT FROM runs r WHERE r.run_id = t.run_id) THEN 'begun' ELSE state END AS state
       FROM ticks t WHERE pipeline = $1 ORDER BY due_at DESC LIMIT $2`,
      [pipeline, limit]
    )
    return (yield* decodeTicks(rows)).map(
      ({ due_at, pipeline, run_id, start_at, state }): Tick => ({
        pipeline,
        dueAt: due_at,
        startAt: start_at,
        runId: run_id,
        state
      })
    )
  })
})

/** An instant as whole epoch milliseconds. */
const millis = (instant: string) => `floor(extract(epoch FROM ${instant}) * 1000)::float8`

const addMissing = `INSERT INTO schedules (pipeline) SELECT json_array_elements_text($1::json) ON CONFLICT DO NOTHING`

/** A tick counts while no run has its ID: the worker that began it may have died before it could record that. */
const statesOf = `
SELECT p.pipeline, ${millis("s.decided_until")} AS decided_until, ${millis("now()")} AS now,
  ${millis("t.due_at")} AS due_at, t.run_id::text AS tick_run_id,
  r.run_id::text, r.status, r.holder,
  coalesce(extract(epoch FROM r.lease_until - now()) * 1000, 0)::float8 AS lease_left_ms
FROM json_array_elements_text($1::json) WITH ORDINALITY AS p (pipeline, at)
LEFT JOIN schedules s USING (pipeline)
LEFT JOIN LATERAL (
  SELECT t.due_at, t.run_id FROM ticks t
  WHERE t.pipeline = p.pipeline AND t.state = 'due' AND t.start_at <= now()
    AND NOT EXISTS (SELECT FROM runs b WHERE b.run_id = t.run_id)
  ORDER BY t.start_at LIMIT 1
) t ON true
LEFT JOIN LATERAL (
  SELECT * FROM (
    SELECT run_id, status, holder, lease_until, finished_at FROM runs
    WHERE pipeline = p.pipeline ORDER BY started_at DESC, run_id DESC LIMIT 1
  ) newest WHERE finished_at IS NULL
) r ON true
ORDER BY p.at`

const StateRow = Schema.Struct({
  pipeline: Schema.String,
  decided_until: Schema.Finite,
  now: Schema.Finite,
  due_at: Schema.NullOr(Schema.Finite),
  tick_run_id: Schema.NullOr(Schema.String),
  run_id: Schema.NullOr(Schema.String),
  status: Schema.NullOr(Schema.String),
  holder: Schema.NullOr(Schema.String),
  lease_left_ms: Schema.Finite
})
const TickRow = Schema.Struct({
  pipeline: Schema.String,
  due_at: Schema.Finite,
  start_at: Schema.Finite,
  run_id: Schema.String,
  state: Schema.Literals(["due", "begun", "skipped", "missed", "paused"])
})

// A row that does not decode was not written by this build: a defect, not a failure to handle.
const decodeStates = (rows: ReadonlyArray<Row>) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(StateRow))(rows))
const decodeTicks = (rows: ReadonlyArray<Row>) => Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(TickRow))(rows))
const decodeSpan = (row: Row) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.Struct({ since: Schema.Finite, now: Schema.Finite }))(row))

const stateOf = (row: typeof StateRow.Type): ScheduledState => ({
  pipeline: row.pipeline,
  decidedUntil: row.decided_until,
  now: row.now,
  next: row.due_at === null || row.tick_run_id === null ? undefined : { dueAt: row.due_at, runId: row.tick_run_id },
  open:
    row.run_id === null || row.status === null
      ? undefined
      : { runId: row.run_id, status: row.status, holder: row.holder, leaseLeftMs: row.lease_left_ms }
})
