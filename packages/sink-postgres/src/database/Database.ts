import type { Effect } from "effect"
import type { DatabaseError } from "./DatabaseError.ts"

/** A row by column name, read the same way from both drivers and safe for JSON: see `columnParsers`. */
export type Row = Readonly<Record<string, unknown>>

/** A column of an answer. `type` is the OID of its type. */
export interface Column {
  readonly name: string
  readonly type: number
}

/** Rows as they came: values in the order of the columns, of which two may have one name. */
export interface FetchedRows {
  readonly columns: ReadonlyArray<Column>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
  /** How many rows a statement that writes says it wrote. */
  readonly affected: number
}

/** Runs one statement. On a {@link Database} that is a transaction of its own. */
export interface Queryable {
  readonly query: (sql: string, parameters?: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Row>, DatabaseError>
}

/** An open transaction. */
export interface Transaction extends Queryable {
  /** Runs one statement and answers its columns as well. */
  readonly fetch: (sql: string, parameters?: ReadonlyArray<unknown>) => Effect.Effect<FetchedRows, DatabaseError>
  /** Runs any number of statements without parameters, and answers the rows of each. */
  readonly execute: (sql: string) => Effect.Effect<ReadonlyArray<ReadonlyArray<Row>>, DatabaseError>
  /**
   * Loads rows in COPY's binary format into `target`, a table with its columns, and answers how many the server says it wrote:
   * a trigger may have dropped some. Pulls `chunks` only as fast as they leave, and needs none when the next but one is asked
   * for: see `encodeRows`.
   */
  readonly copyIn: (
    target: string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  ) => Effect.Effect<number, DatabaseError>
}

/** A Postgres database under one schema: a server behind a pool, or PGlite in a directory. */
export interface Database extends Queryable {
  readonly kind: "pg" | "pglite"
  /** The name all its connections go by at the server, and no others do; null where there are none. */
  readonly session: string | null
  /** What all unqualified names resolve to, inside every transaction. */
  readonly schema: string
  /** The same object wherever rows and ledger can share a transaction. */
  readonly store: object
  /** How many transactions make progress at once. */
  readonly concurrency: number
  /** Opens all connections that may be needed at once, and fails if the server has no room for them. */
  readonly assertRoom: Effect.Effect<void, DatabaseError>
  /** Commits when `use` succeeds, rolls back when it fails or is interrupted. Must not be nested. */
  readonly transaction: <A, E, R>(
    use: (transaction: Transaction) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | DatabaseError, R>
}

/** Quotes a name for SQL. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`
