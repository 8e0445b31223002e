import { Effect } from "effect"
import type { Column, Database, FetchedRows, Transaction } from "./Database.ts"
import { DatabaseError, Other } from "./DatabaseError.ts"
import { type QueryOptions, readOnlyTransaction, writingTransaction } from "./Query.ts"

/** Rows that are fetched at first and at most, and about how many bytes of them a batch may hold. */
const firstRows = 16
const mostRows = 1_000
const batchBytes = 4 * 1024 * 1024
/** How much larger a batch may be than the one before: the next rows may be heavier. */
const mostGrowth = 4

/** Some rows of an answer; the first batch comes also where there are none. */
export interface RowBatch {
  readonly columns: ReadonlyArray<Column>
  readonly rows: FetchedRows["rows"]
}

/** What a statement has come to. */
export interface RowsRead {
  readonly rows: number
  /** How many rows a statement has written that answers none; null where it answers rows. */
  readonly affected: number | null
}

/**
 * Runs one statement of a user as {@link query} does, and gives its rows away batch by batch: what is in memory is bounded however
 * many they are. Rows are fetched as fast as they are taken.
 *
 * A batch holds a thousand rows or about four megabytes at most. `take` runs within the transaction; of a statement that may write
 * nothing is committed before its last batch was taken. Fails with a `DatabaseError`, or as `take` does.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Console, Effect } from "effect"
 *
 * const urls = Effect.gen(function* () {
 *   const database = yield* Postgres.open({ directory: "./.sluice/postgres" })
 *   return yield* Postgres.readRows(database, "SELECT url FROM pages", {}, ({ rows }) =>
 *     Effect.forEach(rows, ([url]) => Console.log(url), { discard: true })
 *   )
 * }).pipe(Effect.scoped)
 * ```
 */
export const readRows = Effect.fn("Postgres.readRows")(function* <E, R>(
  database: Database,
  sql: string,
  options: QueryOptions,
  take: (batch: RowBatch) => Effect.Effect<void, E, R>
): Effect.fn.Return<RowsRead, DatabaseError | E, R> {
  if (options.readOnly === false) {
    return yield* writingTransaction(database, options, (tx) => all(tx, sql, options, take))
  }
  return yield* readOnlyTransaction(database, sql, options, (tx, { isSelect }) =>
    isSelect ? byCursor(tx, sql, options, take) : all(tx, sql, options, take)
  )
})

const all = Effect.fnUntraced(function* <E, R>(
  tx: Transaction,
  sql: string,
  { parameters }: QueryOptions,
  take: (batch: RowBatch) => Effect.Effect<void, E, R>
): Effect.fn.Return<RowsRead, DatabaseError | E, R> {
  const { affected, columns, rows } = yield* tx.fetch(sql, parameters)
  yield* take({ columns, rows })
  return { rows: rows.length, affected: columns.length === 0 ? affected : null }
})

/** The server has the rows, or makes them, as they are fetched. */
const declare = "DECLARE sluice_rows NO SCROLL CURSOR FOR "

const byCursor = Effect.fnUntraced(function* <E, R>(
  tx: Transaction,
  sql: string,
  { parameters }: QueryOptions,
  take: (batch: RowBatch) => Effect.Effect<void, E, R>
): Effect.fn.Return<RowsRead, DatabaseError | E, R> {
  yield* Effect.mapError(tx.fetch(`${declare}${sql}`, parameters), inStatement)
  let asked = firstRows
  let read = 0
  while (true) {
    const { columns, rows } = yield* tx.fetch(`FETCH ${asked} FROM sluice_rows`)
    const isFirst = read === 0
    read += rows.length
    if (rows.length > 0 || isFirst) yield* take({ columns, rows })
    if (rows.length < asked) return { rows: read, affected: null }
    asked = nextBatch(asked, rows)
  }
})

const nextBatch = (asked: number, rows: FetchedRows["rows"]): number => {
  let bytes = 0
  for (const row of rows) for (const value of row) bytes += weightOf(value)
  const fitting = Math.floor(batchBytes / Math.max(1, bytes / rows.length))
  return Math.max(1, Math.min(mostRows, asked * mostGrowth, fitting))
}

const weightOf = (value: unknown): number =>
  typeof value === "string"
    ? value.length + 16
    : typeof value === "object" && value !== null
      ? JSON.stringify(value).length * 4
      : 16

/** A position counts from where the user's statement begins. */
const inStatement = (error: DatabaseError): DatabaseError => {
  const { operation, reason } = error
  if (reason._tag !== "Other" || reason.position === undefined) return error
  const { detail, position, sqlState } = reason
  return new DatabaseError({
    operation,
    reason: new Other({ sqlState, detail, position: Math.max(1, position - declare.length) })
  })
}
