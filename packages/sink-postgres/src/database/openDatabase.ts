import { Effect, type Scope } from "effect"
import { type PostgresSinkOptions, withDefaults } from "../PostgresSinkConfig.ts"
import type { Access } from "./beginStatement.ts"
import type { Database } from "./Database.ts"
import type { DatabaseError } from "./DatabaseError.ts"
import { openPg } from "./PgDatabase.ts"
import { openPglite } from "./PgliteDatabase.ts"

/** Connections a sink and its ledger share: two segments under way, their registrations and the ledger's own statements. */
const maxConnections = 4
const connectTimeout = 10_000

/**
 * Opens a server (with `url`) or an embedded database (without) for the scope. Prepares nothing: see `migrate`.
 *
 * An embedded database belongs to one process at a time. At most four connections are opened; connecting gives up after ten
 * seconds. Fails with a `DatabaseError`.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Effect } from "effect"
 *
 * const version = Effect.gen(function* () {
 *   const database = yield* Postgres.open({ url: "postgres://localhost/lake", schema: "crawl" })
 *   return yield* database.query("SELECT version()")
 * }).pipe(Effect.scoped)
 * ```
 */
export const open = Effect.fn("Postgres.open")(
  (
    options: Pick<PostgresSinkOptions, "url" | "directory" | "schema">
  ): Effect.Effect<Database, DatabaseError, Scope.Scope> => openWith(options, {})
)

/** Opens a database in which every transaction is read-only, by the server's own guard. */
export const openToRead = (options: Place): Effect.Effect<Database, DatabaseError, Scope.Scope> =>
  openWith(options, { readOnly: true })

type Place = Pick<PostgresSinkOptions, "url" | "directory" | "schema">

const openWith = (options: Place, access: Access): Effect.Effect<Database, DatabaseError, Scope.Scope> => {
  const { url, directory, schema } = withDefaults(options)
  return url === undefined
    ? openPglite({ directory, schema, ...access })
    : openPg({ url, schema, max: maxConnections, connectTimeout, ...access })
}
