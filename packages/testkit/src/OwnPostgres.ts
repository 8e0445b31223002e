import { type Duration, Effect, type Scope } from "effect"
import { type EmbeddedOptions, type Shutdown, startEmbedded } from "./EmbeddedServer.ts"
import type { PostgresServer } from "./PostgresServer.ts"

/** A server that belongs to one test, which may do to it what it would not do to one that is shared. */
export interface OwnPostgres extends PostgresServer {
  /** Stops it: `fast` ends every connection and shuts down; `immediate` is a crash, to be recovered from. */
  readonly halt: (shutdown: Shutdown) => Effect.Effect<void>
  /** Starts it again on its data and its port. */
  readonly start: Effect.Effect<void>
}

/** How long a start, recovery included, may take. */
const longestStart: Duration.Input = "30 seconds"

/** Starts a server for the scope, always from the embedded binaries. */
export const ownPostgres = (options: EmbeddedOptions = {}): Effect.Effect<OwnPostgres, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => startEmbedded(options)),
    (server) => Effect.promise(server.stop)
  ).pipe(
    Effect.map(({ halt, label, start, url }) => ({
      url,
      label,
      halt: (shutdown) => Effect.promise(() => halt(shutdown)),
      start: Effect.orDie(Effect.timeout(Effect.promise(start), longestStart))
    }))
  )
