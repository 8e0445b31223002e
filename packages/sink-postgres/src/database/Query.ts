import { Effect } from "effect"
import type { Database, Row, Transaction } from "./Database.ts"
import { DatabaseError, Denied, Other } from "./DatabaseError.ts"
import { NotReadOnly } from "./NotReadOnly.ts"
import type { ReadOnlyStatement } from "./ReadOnlyStatement.ts"

/** How a statement is run. */
export interface QueryOptions {
  /** Absent: true. */
  readonly readOnly?: boolean
  readonly parameters?: ReadonlyArray<unknown>
  /** After how many milliseconds the server cancels it. The embedded database cannot be interrupted and ignores it. */
  readonly timeout?: number | undefined
}

/**
 * Runs one statement of a user. With `readOnly` (the default) it changes nothing: Postgres' own grammar has to find nothing in it
 * that writes, the server no function that may; it runs with a role that can only read, where there is one, in a transaction that
 * refuses writes and is rolled back in any case, settings included.
 *
 * Several statements in one string are refused. `timeout` is in milliseconds; an embedded database ignores it. All rows are held
 * in memory: use LIMIT. Fails with a `DatabaseError`, whose reason is `Denied` for a statement that may write.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Effect } from "effect"
 *
 * const failed = Effect.gen(function* () {
 *   const database = yield* Postgres.open({ directory: "./.sluice/db" })
 *   return yield* Postgres.query(database, "SELECT url FROM pages WHERE status = $1 LIMIT 10", { parameters: ["failed"] })
 * }).pipe(Effect.scoped)
 * ```
 */
export const query = Effect.fn("Postgres.query")(function* (
  database: Database,
  sql: string,
  options: QueryOptions = {}
): Effect.fn.Return<ReadonlyArray<Row>, DatabaseError> {
  return yield* options.readOnly === false
    ? writingTransaction(database, options, (tx) => tx.query(sql, options.parameters))
    : readOnlyTransaction(database, sql, options, (tx) => tx.query(sql, options.parameters))
})

/** A transaction in which a statement of a user may write. */
export const writingTransaction = <A, E, R>(
  database: Database,
  { timeout }: QueryOptions,
  use: (tx: Transaction) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | DatabaseError, R> =>
  database.transaction((tx) =>
    tx.execute("SET LOCAL row_security = on").pipe(Effect.andThen(limitTime(tx, timeout)), Effect.andThen(use(tx)))
  )

/** A transaction in which a statement of a user that only reads changes nothing: see {@link query}. */
export const readOnlyTransaction = Effect.fnUntraced(function* <A, E, R>(
  database: Database,
  sql: string,
  { timeout }: QueryOptions,
  use: (tx: Transaction, statement: ReadOnlyStatement) => Effect.Effect<A, E, R>
): Effect.fn.Return<A, E | DatabaseError, R> {
  const statement = yield* readStatement(sql)
  return yield* database.transaction(
    Effect.fnUntraced(function* (tx) {
      // Strings end where the parser saw them end, whatever the server's settings are. A reader sees the rows that policies show it.
      yield* tx.execute(
        "SET TRANSACTION READ ONLY; SET LOCAL standard_conforming_strings = on; SET LOCAL row_security = on"
      )
      yield* assertNonVolatile(tx, statement)
      yield* restrictRole(tx)
      yield* limitTime(tx, timeout)
      const rows = yield* use(tx, statement)
      yield* tx.execute("ROLLBACK; BEGIN")
      return rows
    })
  )
})

const limitTime = (tx: Transaction, timeout: number | undefined): Effect.Effect<void, DatabaseError> =>
  timeout === undefined ? Effect.void : tx.execute(`SET LOCAL statement_timeout = ${Math.ceil(timeout)}`)

const refuse = (detail: string): DatabaseError =>
  new DatabaseError({ operation: "query", reason: new Denied({ detail }) })

/** The parser is loaded for statements of users alone. */
const readStatement = (sql: string): Effect.Effect<ReadOnlyStatement, DatabaseError> =>
  Effect.tryPromise({
    try: async () => {
      const { readOnlyStatement } = await import("./ReadOnlyStatement.ts")
      return await readOnlyStatement(sql)
    },
    catch: (cause) =>
      cause instanceof NotReadOnly && cause.position !== undefined
        ? new DatabaseError({
            operation: "query",
            reason: new Other({ sqlState: "42601", detail: cause.message, position: cause.position })
          })
        : refuse(cause instanceof Error ? cause.message : "it could not be parsed")
  })

/** Functions that Postgres marks volatile for their answer, or for what they look at, and that change nothing. */
const harmless = [
  ["array_sample", "array_shuffle", "clock_timestamp", "gen_random_uuid", "random", "random_normal", "timeofday"],
  ["uuidv4", "uuidv7", "pg_sleep", "pg_sleep_for", "pg_sleep_until", "pg_blocking_pids", "pg_is_in_recovery"],
  ["pg_database_size", "pg_indexes_size", "pg_relation_size", "pg_table_size", "pg_tablespace_size"],
  ["pg_total_relation_size", "pg_partition_ancestors", "pg_partition_tree", "pg_xact_status"],
  ["pg_current_wal_flush_lsn", "pg_current_wal_insert_lsn", "pg_current_wal_lsn", "pg_last_wal_receive_lsn"],
  ["pg_last_wal_replay_lsn", "pg_last_xact_replay_timestamp"]
].flat()

/**
 * Functions and operators of the names used that may have effects: the volatile ones. Postgres lets no other write. All of a name
 * count, whatever their arguments and schema; those behind a dot, where one argument is enough for them.
 */
const volatileNames = `
  SELECT DISTINCT p.proname AS name
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN (
    SELECT schema, name, false AS behind_dot FROM unnest($1::text[], $2::text[]) AS f(schema, name)
    UNION ALL SELECT NULL, name, true FROM unnest($3::text[]) AS a(name)
  ) used ON used.name = p.proname::text AND (used.schema IS NULL OR used.schema = n.nspname::text)
  WHERE p.provolatile = 'v' AND NOT (used.behind_dot AND p.pronargs - p.pronargdefaults > 1)
    AND NOT (n.nspname = 'pg_catalog' AND p.proname::text = ANY ($4::text[]))
  UNION
  SELECT o.oprname FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
  WHERE p.provolatile = 'v' AND o.oprname::text = ANY ($5::text[])
  ORDER BY 1 LIMIT 1`

const assertNonVolatile = (
  tx: Transaction,
  { attributes, functions, operators }: ReadOnlyStatement
): Effect.Effect<void, DatabaseError> =>
  tx
    .query(volatileNames, [
      functions.map(({ schema }) => schema),
      functions.map(({ name }) => name),
      attributes,
      harmless,
      operators.map(({ name }) => name)
    ])
    .pipe(
      Effect.flatMap(([found]) =>
        found === undefined
          ? Effect.void
          : Effect.fail(refuse(`${found.name} may change something: Postgres has it as volatile`))
      )
    )

/**
 * A role that can read every table and nothing else, neither files of the server nor programs, where the user may take it: a
 * superuser may, as which the embedded database is opened. Policies that would hide rows from it raise an error instead.
 */
const restrictRole = (tx: Transaction): Effect.Effect<void, DatabaseError> =>
  tx
    .query(mayRestrict)
    .pipe(
      Effect.flatMap(([row]) =>
        row?.may === true ? tx.execute("SET LOCAL row_security = off; SET LOCAL ROLE pg_read_all_data") : Effect.void
      )
    )

/** Before PostgreSQL 14 there is no such role; since 16 a member may be kept from taking it. */
const mayRestrict = `
  SELECT CASE WHEN to_regrole('pg_read_all_data') IS NULL THEN false
    WHEN current_setting('server_version_num')::int >= 160000 THEN pg_has_role('pg_read_all_data', 'SET')
    ELSE pg_has_role('pg_read_all_data', 'MEMBER') END AS may`
