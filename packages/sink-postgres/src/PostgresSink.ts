import type { Sink } from "@sluice/core"
import type { AuditClaim, LedgerError, PlannedRun, RunHandle, SinkError, SinkSession } from "@sluice/core/sink"
import { Effect, Fiber, Schema, Scope, Stream } from "effect"
import { auditRun } from "./audit/auditRun.ts"
import type { Database } from "./database/Database.ts"
import type { DatabaseError } from "./database/DatabaseError.ts"
import { migrate } from "./database/Migrations.ts"
import { open } from "./database/openDatabase.ts"
import { dryLoad } from "./dryload/DryLoad.ts"
import { make as makeLedger } from "./ledger/PostgresLedger.ts"
import { mayDropRows } from "./load/mayDropRows.ts"
import { makeSessionKeys } from "./load/SessionKeys.ts"
import { writeSegment } from "./load/writeSegment.ts"
import { behaviourOf, PostgresSinkConfig, type PostgresSinkOptions, withDefaults } from "./PostgresSinkConfig.ts"
import { refuseOtherModes, type SetRefusal, setOf } from "./pages/PageSets.ts"
import { openSet } from "./pages/ReplaceSet.ts"
import { sinkPlan } from "./plan/sinkPlan.ts"
import { tryWrites } from "./plan/tryWrites.ts"
import { admitPublish, type RunFollowed } from "./publish/admitPublish.ts"
import { previewPublish, publishRun, unpublishedIn } from "./publish/publishRun.ts"
import { sweepSets } from "./publish/SweepSets.ts"
import { toSinkError } from "./sinkError.ts"

const decode = Schema.decodeUnknownSync(Schema.toType(PostgresSinkConfig))

/** A url is proven when it is connected to, and may be redacted under any label. */
const prove = ({ url, ...others }: PostgresSinkConfig): PostgresSinkConfig => ({
  ...decode(others),
  ...(url === undefined ? {} : { url })
})

/**
 * Loads pages, links, page metadata and token summaries into Postgres, or into an embedded PGlite where no `url` is given. A
 * segment is one transaction, together with its commit where the ledger is in the same database.
 *
 * `mode` is `merge` when absent. Connecting migrates the database. Throws a `SchemaError` on invalid options; connecting and
 * writing fail with a `SinkError`. A record that the server rejects becomes a dead letter.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Redacted } from "effect"
 *
 * const warehouse = Postgres.sink({ url: Redacted.make("postgres://localhost/lake"), schema: "crawl", mode: "history" })
 * const embedded = Postgres.sink({ name: "local", directory: "./.sluice/db" })
 * ```
 */
export const sink = (options: PostgresSinkOptions = {}): Sink => fromConfig(prove(withDefaults(options)))

/**
 * The sink of settings that have been decoded, as a program has them that reads pipeline files. Does not check them again: use
 * `sink` for options that you write.
 *
 * @example
 * ```ts
 * import { Postgres, PostgresSinkConfig } from "@sluice/sink-postgres"
 * import { Schema } from "effect"
 *
 * const sink = Postgres.fromConfig(Schema.decodeUnknownSync(PostgresSinkConfig)({ directory: "./.sluice/db" }))
 * ```
 */
export const fromConfig = (config: PostgresSinkConfig): Sink => {
  return {
    kind: "postgres",
    name: config.name,
    behaviour: behaviourOf(config),
    plan: (pipeline) => sinkPlan(config, pipeline).pipe(Effect.mapError(toSinkError(config.name, "plan"))),
    tryWrites: tryWrites(config).pipe(Effect.mapError(toSinkError(config.name, "try writes"))),
    connect: Effect.gen(function* () {
      const database = yield* open(config)
      yield* migrate(database)
      const scope = yield* Scope.Scope
      return {
        ledger: makeLedger(database),
        showsLatest: config.mode === "replace",
        admit: (pipeline: string) =>
          refuseOtherModes(database, { pipeline, sink: config.name, mode: config.mode }).pipe(
            Effect.mapError(toSinkError(config.name, "connect"))
          ),
        dryLoad: (planned: PlannedRun) =>
          dryLoad(database, config, planned).pipe(Effect.mapError(toSinkError(config.name, "dry load"))),
        begin: (run: RunHandle) => begin(database, config, run, scope),
        audit: (claim: AuditClaim) =>
          auditRun(database, config, claim).pipe(
            Stream.mapError((error) => (error._tag === "SinkError" ? error : toSinkError(config.name, "audit")(error)))
          )
      }
    }).pipe(Effect.mapError(toSinkError(config.name, "connect")), Effect.withSpan("PostgresSink.connect"))
  }
}

/** In replace mode a run has its set from the beginning, and beside it goes what earlier ones have left. */
const begin = Effect.fnUntraced(
  function* (
    database: Database,
    config: PostgresSinkConfig,
    run: RunHandle,
    scope: Scope.Scope
  ): Effect.fn.Return<SinkSession, DatabaseError | SetRefusal> {
    let swept: Effect.Effect<unknown> = Effect.void
    if (config.mode === "replace") {
      const set = setOf(config, run, null)
      yield* openSet(database, set)
      const sweep = yield* sweepSets(database, set).pipe(
        Effect.catch((error) => Effect.logWarning(`what earlier runs left could not be removed: ${error.message}`)),
        Effect.forkIn(scope)
      )
      swept = Fiber.await(sweep)
    }
    return beginSession(database, config, run, { mayDrop: yield* mayDropRows(database, database.schema), swept })
  },
  (effect, _, config) => Effect.mapError(effect, toSinkError(config.name, "begin"))
)

interface Session {
  /** Whether the server may drop rows that are written. */
  readonly mayDrop: boolean
  /** Waits until what earlier runs left has been removed. */
  readonly swept: Effect.Effect<unknown>
}

const beginSession = (
  database: Database,
  config: PostgresSinkConfig,
  run: RunHandle,
  { mayDrop, swept }: Session
): SinkSession => {
  const sessionKeys = makeSessionKeys(database, config, run)
  const preview = previewPublish(database, config, run)
  return {
    concurrency: database.concurrency,
    publish: publishRun(database, config, run, swept).pipe(
      Effect.mapError(inSinkWords(config.name, "publish")),
      Effect.withSpan("PostgresSink.publish")
    ),
    ...(preview === undefined ? {} : { previewPublish: Effect.mapError(preview, inSinkWords(config.name, "publish")) }),
    admitPublish: Effect.mapError(admitPublish(database, config, run), inSinkWords(config.name, "publish")),
    unpublished: unpublishedIn(config.mode),
    write: Effect.fn("PostgresSink.write")(
      function* (segment, commit) {
        const keys = yield* sessionKeys.of(segment)
        return yield* writeSegment(database, {
          pipeline: run.pipeline,
          sink: config.name,
          mode: config.mode,
          isRelaxed: config.synchronous_commit === "off",
          mayDrop,
          segment,
          keys,
          commit
        })
      },
      Effect.mapError(inSinkWords(config.name, "write"))
    )
  }
}

const inSinkWords =
  (name: string, operation: string) =>
  (error: DatabaseError | LedgerError | SetRefusal | RunFollowed): SinkError | LedgerError =>
    error._tag === "LedgerError" ? error : toSinkError(name, operation)(error)
