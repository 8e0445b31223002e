import type { LedgerError, RunHandle, Sink, SinkError, SinkSession } from "@sluice/core"
import { Effect } from "effect"
import { findCommitted } from "./CommittedSegment.ts"
import type { Database } from "./Database.ts"
import type { DatabaseError } from "./DatabaseError.ts"
import { migrate } from "./Migrations.ts"
import { open } from "./openDatabase.ts"
import { make as makeLedger } from "./PostgresLedger.ts"
import { type PostgresSinkConfig, type PostgresSinkOptions, withDefaults } from "./PostgresSinkConfig.ts"
import { makeSessionKeys } from "./SessionKeys.ts"
import { toSinkError } from "./sinkError.ts"
import { writeSegment } from "./WriteSegment.ts"

/**
 * Lands pages, links, page metadata and token summaries in Postgres, or in an embedded PGlite where no `url` is given. A
 * segment is one transaction, together with its commit where the ledger lives in the same database.
 */
export const sink = (options: PostgresSinkOptions = {}): Sink => {
  const config = withDefaults(options)
  return {
    kind: "postgres",
    name: config.name,
    behaviour: { mode: config.mode, schema: config.schema },
    connect: Effect.gen(function* () {
      const database = yield* open(config)
      yield* migrate(database)
      return {
        ledger: makeLedger(database),
        begin: (run: RunHandle) => Effect.sync(() => beginSession(database, config, run))
      }
    }).pipe(Effect.mapError(toSinkError(config.name, "connect")), Effect.withSpan("PostgresSink.connect"))
  }
}

const beginSession = (database: Database["Service"], config: PostgresSinkConfig, run: RunHandle): SinkSession => {
  const sessionKeys = makeSessionKeys(database, config, run)
  const tried = new Set<number>()
  return {
    concurrency: database.concurrency,
    publish: Effect.void,
    write: Effect.fn("PostgresSink.write")(
      function* (segment, commit) {
        if (tried.has(segment.seq)) {
          const committed = yield* findCommitted(database, config.name, segment)
          if (committed !== undefined) return committed
        }
        tried.add(segment.seq)
        const keys = yield* sessionKeys.of(segment)
        return yield* writeSegment(database, { sink: config.name, segment, keys, commit })
      },
      Effect.mapError(inSinkWords(config.name))
    )
  }
}

const inSinkWords =
  (name: string) =>
  (error: DatabaseError | LedgerError): SinkError | LedgerError =>
    error._tag === "LedgerError" ? error : toSinkError(name, "write")(error)
