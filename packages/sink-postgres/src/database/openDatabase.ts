import { Effect, type Scope } from "effect"
import { type PostgresSinkOptions, withDefaults } from "../PostgresSinkConfig.ts"
import type { Database } from "./Database.ts"
import type { DatabaseError } from "./DatabaseError.ts"
import { openPg } from "./PgDatabase.ts"
import { openPglite } from "./PgliteDatabase.ts"

/** Connections a sink and its ledger share: two segments under way, their registrations and the ledger's own statements. */
const maxConnections = 4
const connectTimeout = 10_000

/** Opens a server (with `url`) or an embedded database (without) for the scope. Prepares nothing: see `migrate`. */
export const open = Effect.fn("Postgres.open")(function* (
  options: Pick<PostgresSinkOptions, "url" | "directory" | "schema">
): Effect.fn.Return<Database, DatabaseError, Scope.Scope> {
  const { url, directory, schema } = withDefaults(options)
  return url === undefined
    ? yield* openPglite({ directory, schema })
    : yield* openPg({ url, schema, max: maxConnections, connectTimeout })
})
