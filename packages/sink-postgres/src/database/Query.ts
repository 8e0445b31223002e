import { Effect } from "effect"
import type { Database, Row } from "./Database.ts"
import type { DatabaseError } from "./DatabaseError.ts"

/**
 * Runs one statement of a user. With `readOnly` (the default) whatever it is changes nothing: the transaction refuses writes
 * and is rolled back in any case, settings included. Several statements in one string are refused.
 */
export const query = Effect.fn("Postgres.query")(function* (
  database: Database["Service"],
  sql: string,
  options: { readonly readOnly?: boolean; readonly parameters?: ReadonlyArray<unknown> } = {}
): Effect.fn.Return<ReadonlyArray<Row>, DatabaseError> {
  if (options.readOnly === false) return yield* database.query(sql, options.parameters)
  return yield* database.transaction((tx) =>
    tx
      .execute("SET TRANSACTION READ ONLY")
      .pipe(Effect.andThen(tx.query(sql, options.parameters)), Effect.tap(tx.execute("ROLLBACK; BEGIN")))
  )
})
