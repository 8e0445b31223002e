import { type MigrationTransaction, runMigrations, type TransactionRunner } from "@sluice/migrations"
import { Effect } from "effect"
import { ScraperStartError } from "../../ScraperConfig.ts"
import { migrations } from "./migrations.ts"
import type { PgFailure } from "./PgCall.ts"

/** Runs one statement, or several without values, on one session. */
export type SessionQuery = (
  text: string,
  values?: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<Readonly<Record<string, string>>>, PgFailure>

/** Brings the state's schema up to date, on a session that holds the lock of the state. */
export const migrateState = (query: SessionQuery): Effect.Effect<void, PgFailure | ScraperStartError> => {
  const transaction: MigrationTransaction<PgFailure> = {
    // The lock of the state already excludes other servers.
    lock: Effect.void,
    applied: Effect.gen(function* () {
      const [table] = yield* query("SELECT coalesce(to_regclass('sluice_scraper.migration')::text, '') AS name")
      if (table?.name === "") return []
      const rows = yield* query(
        "SELECT id::text AS id FROM sluice_scraper.migration ORDER BY sluice_scraper.migration.id"
      )
      return rows.map(({ id }) => id ?? "")
    }),
    prepare: Effect.asVoid(
      query(`
        CREATE SCHEMA IF NOT EXISTS sluice_scraper;
        CREATE TABLE IF NOT EXISTS sluice_scraper.migration (
          id integer PRIMARY KEY,
          applied_at timestamptz NOT NULL DEFAULT now()
        )`)
    ),
    apply: ({ id, sql }) =>
      Effect.andThen(query(sql), query("INSERT INTO sluice_scraper.migration (id) VALUES ($1::integer)", [id]))
  }
  const inTransaction: TransactionRunner<PgFailure> = (use) =>
    Effect.acquireUseRelease(
      query("BEGIN"),
      () => use(transaction),
      (_, exit) => query(exit._tag === "Success" ? "COMMIT" : "ROLLBACK")
    )
  return runMigrations(inTransaction, migrations).pipe(
    Effect.catchTag("NewerSchema", () =>
      Effect.fail(
        new ScraperStartError({
          message: "The state database was made by a newer version of the server: start that version",
          cause: null
        })
      )
    )
  )
}
