import type { Database, Transaction } from "@sluice/sink-postgres"
import { Effect } from "effect"
import { type Fate, phased, type Step } from "./Phase.ts"

/** Names the step that a statement is; what it does not name has no phases. */
export type StepOf = (sql: string) => Step | undefined

/** A database in which a process can die before, during and after each statement and each commit. */
export const perilousDatabase = (database: Database, fate: Fate, stepOf: StepOf): Database => {
  const named = <A, E>(sql: string, work: Effect.Effect<A, E>): Effect.Effect<A, E> => {
    const step = stepOf(sql)
    return step === undefined ? work : phased(fate, step, work)
  }
  const perilous = (tx: Transaction): Transaction => ({
    query: (sql, parameters) => named(sql, tx.query(sql, parameters)),
    execute: (sql) => named(sql, tx.execute(sql)),
    fetch: tx.fetch,
    copyIn: (target, chunks) => named(`COPY ${target}`, tx.copyIn(target, chunks))
  })
  return {
    ...database,
    query: (sql, parameters) => named(sql, database.query(sql, parameters)),
    transaction: (use) =>
      database
        .transaction((tx) =>
          use(perilous(tx)).pipe(
            Effect.tap(fate.at("before commit")),
            // COMMIT is sent next.
            Effect.tap(fate.soon("during commit"))
          )
        )
        .pipe(Effect.tap(fate.at("after commit")))
  }
}

/** The steps of a migration. */
export const stepOfMigration: StepOf = (sql) => {
  if (sql.includes("pg_advisory_xact_lock")) return "lock"
  if (sql.startsWith("SELECT id FROM sluice_migrations")) return "read of ids"
  if (sql.startsWith("INSERT INTO sluice_migrations")) return "record of id"
  if (sql.startsWith("CREATE TABLE sluice_migrations")) return "table of ids"
  if (sql.startsWith("CREATE SCHEMA")) return "schema"
  return sql.startsWith("SELECT") || sql.includes("FROM pg_class") ? undefined : "migration"
}

/** The steps of a replay of dead letters. */
export const stepOfReplay: StepOf = (sql) => {
  if (sql.startsWith("SELECT letter_no")) return "read of dead letters"
  if (sql.includes("FOR UPDATE OF d")) return "lock of dead letters"
  if (sql.startsWith("COPY")) return "copy"
  return sql.startsWith("UPDATE dead_letters SET replayed_at") ? "settlement" : "other statement"
}
