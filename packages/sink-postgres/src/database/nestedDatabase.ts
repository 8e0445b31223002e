import { Effect } from "effect"
import type { Database, Transaction } from "./Database.ts"

/** A database whose transactions are parts of one that is open: what they write goes when that is rolled back. */
export const nestedDatabase = (database: Database, tx: Transaction): Database => ({
  ...database,
  query: tx.query,
  transaction: (use) =>
    tx.execute("SAVEPOINT sluice_nested").pipe(
      Effect.andThen(use(tx)),
      Effect.tap(() => tx.execute("RELEASE SAVEPOINT sluice_nested")),
      Effect.tapError(() => Effect.ignore(tx.execute("ROLLBACK TO SAVEPOINT sluice_nested")))
    )
})

/** Runs something in a transaction, and takes back all that it wrote. */
export const takeBack = <A, E, R>(
  database: Database,
  use: (nested: Database, tx: Transaction) => Effect.Effect<A, E, R>
) =>
  database.transaction((tx) =>
    // What is committed is a transaction that has done nothing.
    use(nestedDatabase(database, tx), tx).pipe(Effect.tap(() => tx.execute("ROLLBACK; BEGIN")))
  )
