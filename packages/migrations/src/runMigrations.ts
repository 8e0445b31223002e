import { Effect, Schema } from "effect"

/** One step of a schema. A released step is never edited; new steps are added at the end. */
export interface Migration {
  readonly id: string
  readonly sql: string
}

/** The database has migrations that this build does not know: a newer build prepared it. */
export class NewerSchema extends Schema.TaggedError<NewerSchema>()("NewerSchema", {
  ids: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `the database has unknown migrations: ${this.ids.join(", ")}`
  }
}

/** What the runner needs from an open transaction. */
export interface MigrationTransaction<E> {
  /** Waits for other processes that migrate the same schema. Released at the end of the transaction. */
  readonly lock: Effect.Effect<void, E>
  /** The ids that were applied, or none if the schema does not exist yet. Creates nothing. */
  readonly applied: Effect.Effect<ReadonlyArray<string>, E>
  /** Creates the schema and the table of applied ids. Called once, in the transaction of the first migration. */
  readonly prepare: Effect.Effect<void, E>
  /** Runs the statements of a migration and records its id. */
  readonly apply: (migration: Migration) => Effect.Effect<void, E>
}

/** Runs `use` in a transaction: commits when it succeeds, rolls back when it fails or is interrupted. */
export type TransactionRunner<E> = <A, E2>(
  use: (transaction: MigrationTransaction<E>) => Effect.Effect<A, E2>
) => Effect.Effect<A, E | E2>

/**
 * Applies the migrations that a database lacks, in their order, and returns their ids. Each one is a transaction under a lock, so
 * any number of processes may start at once. A migration that fails changes nothing, and those before it stay applied.
 *
 * Gotchas: a database with nothing to do is only read, so a role without the right to create can still start. Ids are compared
 * as text, never by order.
 */
export const runMigrations = Effect.fn("Migrations.runMigrations")(function* <E>(
  inTransaction: TransactionRunner<E>,
  known: ReadonlyArray<Migration>
): Effect.fn.Return<ReadonlyArray<string>, E | NewerSchema> {
  const ran: Array<string> = []
  if ((yield* inTransaction((tx) => pendingMigrations(tx, known))).length === 0) return ran
  for (const migration of known) {
    const isNew = yield* inTransaction((tx) => applyOnce(tx, migration, known))
    if (isNew) ran.push(migration.id)
  }
  return ran
})

/** The migrations that a database lacks, in their order. Reads alone. */
export const pendingMigrations = <E>(
  { applied }: Pick<MigrationTransaction<E>, "applied">,
  known: ReadonlyArray<Migration>
): Effect.Effect<ReadonlyArray<Migration>, E | NewerSchema> =>
  Effect.flatMap(applied, (ids) => {
    const names = new Set(known.map(({ id }) => id))
    const newer = ids.filter((id) => !names.has(id))
    if (newer.length > 0) return Effect.fail(new NewerSchema({ ids: newer }))
    const done = new Set(ids)
    return Effect.succeed(known.filter(({ id }) => !done.has(id)))
  })

const applyOnce = Effect.fnUntraced(function* <E>(
  tx: MigrationTransaction<E>,
  migration: Migration,
  known: ReadonlyArray<Migration>
): Effect.fn.Return<boolean, E | NewerSchema> {
  yield* tx.lock
  // Read again: another process may have applied it before the lock was free.
  const open = yield* pendingMigrations(tx, known)
  if (!open.includes(migration)) return false
  if (open.length === known.length) yield* tx.prepare
  yield* tx.apply(migration)
  return true
})
