import type { StoreCheck, StorePlan } from "@sluice/core/sink"
import { Effect, Redacted, Result, type Scope } from "effect"
import { parseConnectionString } from "../database/ConnectionString.ts"
import type { Database } from "../database/Database.ts"
import { type DatabaseError, DatabaseError as Failure, Unsuitable } from "../database/DatabaseError.ts"
import { type MigrationError, pendingStatements, statementsOfNew } from "../database/Migrations.ts"
import { holdsDatabase } from "../database/makeDirectory.ts"
import { openToRead } from "../database/openDatabase.ts"
import { make as makeLedger } from "../ledger/PostgresLedger.ts"
import { type PostgresSinkOptions, withDefaults } from "../PostgresSinkConfig.ts"
import { checkRights } from "./checkRights.ts"

/** A database as a run would find it, and the database itself where it is there, open to be read. */
export interface DatabasePlan extends StorePlan {
  readonly database?: Database
  /** Whether its tables are as this build wants them. */
  readonly isCurrent: boolean
}

/**
 * Says what a run would execute to prepare a database, and whether the role may. Writes nothing: every transaction is read-only, and
 * an embedded database that is not there yet is not made.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Console, Effect } from "effect"
 *
 * const statements = Effect.gen(function* () {
 *   const found = yield* Postgres.plan({ url: "postgres://localhost/lake", schema: "crawl" })
 *   for (const statement of found.statements) yield* Console.log(statement)
 * }).pipe(Effect.scoped)
 * ```
 */
export const plan = Effect.fn("Postgres.plan")(function* (
  options: Pick<PostgresSinkOptions, "url" | "directory" | "schema">
): Effect.fn.Return<DatabasePlan, DatabaseError | MigrationError, Scope.Scope> {
  const { directory, schema, url } = withDefaults(options)
  const place = placeOf({ directory, schema, ...(url === undefined ? {} : { url }) })
  if (url === undefined && !(yield* Effect.promise(() => holdsDatabase(directory)))) {
    return { place, statements: statementsOfNew(schema), checks: [], ledger: "new", isCurrent: false }
  }
  const database = yield* openToRead(options)
  yield* assertWritable(database)
  const { isPrepared, statements } = yield* pendingStatements(database, schema)
  const isCurrent = statements.length === 0
  const checks: ReadonlyArray<StoreCheck> = yield* checkRights(database, { isPrepared, isCurrent })
  const [known] = yield* database.query("SELECT current_setting('server_version') AS version")
  const server = `Postgres ${known?.version}`
  const ledger = isCurrent ? makeLedger(database) : isPrepared ? ("outdated" as const) : ("new" as const)
  return { place, statements, checks, ledger, server, isCurrent, database }
})

/** A server that takes no writes at all would refuse a run, whatever the role may. */
const assertWritable = Effect.fnUntraced(function* (database: Database) {
  const [row] = yield* database.query(
    "SELECT pg_is_in_recovery() AS is_standby, current_setting('default_transaction_read_only') = 'on' AS is_read_only"
  )
  if (row?.is_standby !== true && row?.is_read_only !== true) return
  const detail =
    row.is_standby === true
      ? "the server is a standby, which takes no writes: name the primary in the url"
      : "default_transaction_read_only is on for the role, the database or the server, so nothing can be written: turn it off for the role that loads"
  return yield* new Failure({ operation: "plan", reason: new Unsuitable({ detail }) })
})

const placeOf = ({
  directory,
  schema,
  url
}: {
  readonly directory: string
  readonly schema: string
  readonly url?: Redacted.Redacted
}): string => {
  if (url === undefined) return `embedded Postgres in ${directory}, schema "${schema}"`
  const parameters = Result.getOrUndefined(parseConnectionString(Redacted.value(url)))
  const host = parameters?.get("host") ?? parameters?.get("hostaddr") ?? "localhost"
  return `Postgres at ${host}:${parameters?.get("port") ?? "5432"}/${parameters?.get("dbname") ?? ""}, schema "${schema}"`
}
