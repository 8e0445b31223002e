import { Effect, type Scope } from "effect"
import { type PostgresSinkOptions, withDefaults } from "../PostgresSinkConfig.ts"
import type { Database } from "./Database.ts"
import type { DatabaseError } from "./DatabaseError.ts"
import { heldDatabase } from "./HeldDatabase.ts"
import { open } from "./openDatabase.ts"

/**
 * Opens a database to read its ledger, also an embedded one that another process holds: that process answers. Of such a one
 * `Postgres.ledger` can list runs and tell how far they are, and nothing else.
 *
 * Of a database that nobody holds, and of a server, it is what `Postgres.open` opens. Fails with a `DatabaseError`.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Effect } from "effect"
 *
 * const latest = Effect.gen(function* () {
 *   const database = yield* Postgres.openReader({ directory: "./.sluice/postgres" })
 *   return yield* Postgres.ledger(database).runs({ limit: 10 })
 * }).pipe(Effect.scoped)
 * ```
 */
export const openReader = Effect.fn("Postgres.openReader")(function* (
  options: Pick<PostgresSinkOptions, "url" | "directory" | "schema">
): Effect.fn.Return<Database, DatabaseError, Scope.Scope> {
  const { directory, schema, url } = withDefaults(options)
  if (url !== undefined) return yield* open(options)
  const held = yield* heldDatabase({ directory, schema })
  if (held !== undefined) return held
  return yield* open(options).pipe(
    // Somebody may have taken it in between.
    Effect.catchIf(
      (error) => error.reason._tag === "Denied",
      (error) => Effect.flatMap(heldDatabase({ directory, schema }), (held) => (held ? Effect.succeed(held) : error))
    )
  )
})
