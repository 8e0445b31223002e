import { Effect, type Scope } from "effect"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { holdsDatabase } from "../database/makeDirectory.ts"
import { open } from "../database/openDatabase.ts"
import { type PostgresSinkOptions, withDefaults } from "../PostgresSinkConfig.ts"

/**
 * Makes, fills and drops a temporary table, which is what a load begins with, and says so. An embedded database that is not there is
 * not made. Fails with a `DatabaseError`.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Console, Effect } from "effect"
 *
 * const tried = Effect.flatMap(Postgres.tryWrites({ url: "postgres://localhost/lake" }), Console.log)
 * ```
 */
export const tryWrites = Effect.fnUntraced(function* (
  options: Pick<PostgresSinkOptions, "url" | "directory" | "schema">
): Effect.fn.Return<string, DatabaseError, Scope.Scope> {
  const { directory, url } = withDefaults(options)
  if (url === undefined && !(yield* Effect.promise(() => holdsDatabase(directory)))) {
    return "nothing: the embedded database is made by the first run"
  }
  const database = yield* open(options)
  yield* database.transaction((tx) =>
    tx.execute(
      "CREATE TEMPORARY TABLE sluice_trial (n int); INSERT INTO sluice_trial VALUES (1); DROP TABLE sluice_trial"
    )
  )
  return "made, filled and dropped a temporary table"
}, Effect.scoped)
