import {
  type Migration,
  type MigrationTransaction,
  type NewerSchema,
  pendingMigrations,
  runMigrations,
  type TransactionRunner
} from "@sluice/migrations"
import { Effect, Schema } from "effect"
import { type Database, type Queryable, quoteName, type Transaction } from "./Database.ts"
import { type DatabaseError, Denied, DatabaseError as Failure } from "./DatabaseError.ts"
import { migrations, tableNames } from "./migrations.generated.ts"

/** The database was prepared by a build that knows more migrations than this one. */
class TooNew extends Schema.TaggedError<TooNew>()("TooNew", { detail: Schema.String }) {}
/** The database cannot be prepared as the settings ask: an old server, a schema that holds tables of others. */
class Unsuitable extends Schema.TaggedError<Unsuitable>()("Unsuitable", { detail: Schema.String }) {}

/** Every way preparing a database can fail. Nothing has been changed by a migration that failed. */
export class MigrationError extends Schema.TaggedError<MigrationError>()("MigrationError", {
  reason: Schema.Union([TooNew, Unsuitable])
}) {
  override get message(): string {
    return this.reason.detail
  }
}

/**
 * Brings the database to this build's schema and returns the ids it applied. Each migration and its row in
 * `sluice_migrations` are one transaction under a lock of the schema, so any number of processes may start at once.
 *
 * A sink does so when it connects. Needs the right to create tables. Fails with a `DatabaseError`, or with a `MigrationError` where
 * a newer build has migrated the database.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Config, Effect } from "effect"
 *
 * const applied = Effect.gen(function* () {
 *   return yield* Postgres.migrate(yield* Postgres.open({ url: yield* Config.Redacted("DATABASE_URL") }))
 * }).pipe(Effect.scoped)
 * ```
 */
export const migrate = Effect.fn("Migrations.migrate")(function* (
  database: Database,
  known: ReadonlyArray<Migration> = migrations
): Effect.fn.Return<ReadonlyArray<string>, DatabaseError | MigrationError> {
  const inTransaction: TransactionRunner<DatabaseError | MigrationError> = (use) =>
    database.transaction((tx) => use(migrationTransaction(tx, database.schema)))
  return yield* Effect.catchTag(runMigrations(inTransaction, known), "NewerSchema", tooNew)
}, Effect.mapError(explainDenied))

const tooNew = ({ ids }: NewerSchema): Effect.Effect<never, MigrationError> =>
  Effect.fail(
    new MigrationError({
      reason: new TooNew({
        detail: `the database was prepared by a newer Sluice (${ids.join(", ")}); upgrade Sluice`
      })
    })
  )

/** What preparing a schema would execute. */
export interface PendingStatements {
  /** Statements that change the schema, in their order: as {@link migrate} executes them. */
  readonly statements: ReadonlyArray<string>
  /** Whether Sluice has prepared the schema before. */
  readonly isPrepared: boolean
}

/** Says what {@link migrate} would execute, and reads alone. Fails where it would. */
export const pendingStatements = Effect.fn("Migrations.pendingStatements")(function* (
  database: Queryable,
  schemaName: string,
  known: ReadonlyArray<Migration> = migrations
): Effect.fn.Return<PendingStatements, DatabaseError | MigrationError> {
  const lacking = yield* Effect.catchTag(
    pendingMigrations({ applied: appliedIn(database, schemaName) }, known),
    "NewerSchema",
    tooNew
  )
  const isPrepared = lacking.length < known.length
  const before = isPrepared ? [] : yield* preparationOf(database, schemaName)
  return { statements: [...before, ...lacking.map(({ sql }) => sql)], isPrepared }
})

const migrationTransaction = (
  tx: Transaction,
  schemaName: string
): MigrationTransaction<DatabaseError | MigrationError> => ({
  lock: Effect.asVoid(
    tx.query("SELECT pg_advisory_xact_lock(hashtextextended('sluice_migrations ' || $1, 0))", [schemaName])
  ),
  applied: appliedIn(tx, schemaName),
  prepare: Effect.flatMap(preparationOf(tx, schemaName), (statements) =>
    Effect.forEach(statements, tx.execute, { discard: true })
  ),
  apply: Effect.fnUntraced(function* ({ id, sql }) {
    yield* tx.execute(sql).pipe(
      Effect.catchIf(
        ({ reason }) => reason._tag === "Other" && inTheWay.has(reason.sqlState),
        ({ reason }) =>
          new MigrationError({
            reason: new Unsuitable({
              detail: `the schema "${schemaName}" holds something that is not made by Sluice, under a name it needs (${reason.detail}); rename that, or set the option "schema" to another`
            })
          })
      )
    )
    yield* tx.query("INSERT INTO sluice_migrations (id) VALUES ($1)", [id])
  })
})

/** A table, a view, an index, a type or a function of somebody else's has the name, or columns or results of its own. */
const inTheWay = new Set(["42P07", "42710", "42723", "42P13", "42P16"])

const appliedIn = Effect.fnUntraced(function* (
  database: Queryable,
  schemaName: string
): Effect.fn.Return<ReadonlyArray<string>, DatabaseError> {
  // The catalog is asked: name resolution may still answer from before the lock was free.
  const [present] = yield* database.query(
    `SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = 'sluice_migrations'`,
    [schemaName]
  )
  if (present === undefined) return []
  const rows = yield* database.query("SELECT id FROM sluice_migrations ORDER BY id")
  return rows.map((row) => String(row.id))
})

/** What a schema needs before its first migration. Refuses one that holds tables of others under our names. */
const preparationOf = Effect.fnUntraced(function* (
  database: Queryable,
  schemaName: string
): Effect.fn.Return<ReadonlyArray<string>, DatabaseError | MigrationError> {
  const [present] = yield* database.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schemaName])
  if (present === undefined) return [`CREATE SCHEMA ${quoteName(schemaName)}`, createMigrations]
  const taken = yield* database.query(
    "SELECT relname FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relname = ANY ($2::text[]) ORDER BY 1",
    [quoteName(schemaName), `{${tableNames.join(",")}}`]
  )
  if (taken.length > 0) {
    return yield* new MigrationError({
      reason: new Unsuitable({
        detail: `the schema "${schemaName}" already holds ${taken.map((row) => `"${row.relname}"`).join(", ")}, not made by Sluice; set the option "schema" to one of its own`
      })
    })
  }
  return [createMigrations]
})

/** What an embedded database that is not there yet executes once it is made. */
export const statementsOfNew = (schemaName: string): ReadonlyArray<string> => [
  ...(schemaName === "public" ? [] : [`CREATE SCHEMA ${quoteName(schemaName)}`]),
  createMigrations,
  ...migrations.map(({ sql }) => sql)
]

const createMigrations = `CREATE TABLE sluice_migrations (id text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE sluice_migrations IS 'Which migrations of Sluice this schema has seen';
COMMENT ON COLUMN sluice_migrations.id IS 'Name of the migration';
COMMENT ON COLUMN sluice_migrations.applied_at IS 'When it was applied'`

function explainDenied(error: DatabaseError | MigrationError): DatabaseError | MigrationError {
  if (error._tag === "MigrationError" || error.reason._tag !== "Denied" || error.operation === "connect") return error
  return new Failure({
    operation: "migrate",
    reason: new Denied({
      detail: `the role may not prepare the database (${error.reason.detail}); grant it CREATE and USAGE on the schema, or let an owner run "sluice migrate"`
    })
  })
}
