import { randomBytes } from "node:crypto"
import type { Writable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { makeRedactor, secretsInAddress } from "@sluice/core/sink"
import { Effect, Exit, Redacted, Result, type Scope } from "effect"
import type pg from "pg"
import { from as copyFrom } from "pg-copy-streams"
import { type Access, beginStatement } from "./beginStatement.ts"
import { makePool, type PgOptions } from "./ConnectionPool.ts"
import { connectionSettings, serverIn } from "./ConnectionSettings.ts"
import { largerOfTwo } from "./CopyBinary.ts"
import type { Database, FetchedRows, Row, Transaction } from "./Database.ts"
import { DatabaseError, Other, type ServerWords, toDatabaseError, Unreachable, Unsuitable } from "./DatabaseError.ts"
import { knownServer } from "./knownServer.ts"

/** A Postgres server behind a pool that lives as long as the scope. Nothing is sent before the first statement. */
export const openPg = Effect.fn("PgDatabase.open")(function* (
  options: PgOptions & Access
): Effect.fn.Return<Database, DatabaseError, Scope.Scope> {
  const session = `sluice-${process.pid}-${randomBytes(6).toString("hex")}`
  const settings = connectionSettings(Redacted.value(options.url))
  if (Result.isFailure(settings)) {
    const detail = `the url of the database ${settings.failure}`
    return yield* new DatabaseError({ operation: "open", reason: new Unsuitable({ detail }) })
  }
  const redact = makeRedactor(secretsInAddress(Redacted.value(options.url)))
  const words = { at: redact(serverIn(settings.success)), redact }
  const pool = yield* Effect.acquireRelease(
    Effect.sync(() => makePool(settings.success, options, session)),
    (pool) => Effect.promise(() => pool.end())
  )
  const begin = beginStatement(options.schema, options)
  const server = knownServer()
  const connect = Effect.tryPromise({ try: () => pool.connect(), catch: toDatabaseError("connect", words) })
  const transaction = <A, E, R>(use: (transaction: Transaction) => Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      connect,
      (client) =>
        server
          .assertSuitable(transactionOf(client, server.explain, words))
          .pipe(
            Effect.andThen(run("begin", words, () => client.query(begin))),
            Effect.andThen(use(transactionOf(client, server.explain, words))),
            Effect.tap(run("commit", words, () => client.query("COMMIT")).pipe(Effect.flatMap(committed)))
          ),
      (client, exit) => Effect.promise(() => recycle(client, exit))
    )
  return {
    kind: "pg",
    session,
    schema: options.schema,
    store: pool,
    concurrency: 2,
    assertRoom: Effect.scoped(
      Effect.all(
        Array.from({ length: options.max }, () =>
          Effect.acquireRelease(connect, (client) => Effect.sync(() => client.release()))
        ),
        { concurrency: "unbounded", discard: true }
      )
    ).pipe(Effect.mapError((error) => noRoom(error, options.max))),
    transaction,
    query: (sql, parameters) => transaction((tx) => tx.query(sql, parameters))
  }
})

const noRoom = (error: DatabaseError, connections: number): DatabaseError =>
  error.reason._tag === "Unreachable"
    ? new DatabaseError({
        operation: error.operation,
        reason: new Unreachable({ detail: `${error.reason.detail}; a run takes up to ${connections} connections` })
      })
    : error

const run = <A>(operation: string, words: ServerWords, statement: () => Promise<A>): Effect.Effect<A, DatabaseError> =>
  Effect.tryPromise({ try: statement, catch: toDatabaseError(operation, words) })

/** COMMIT of a transaction in which a statement failed answers "ROLLBACK" and no error. */
const committed = (result: pg.QueryResult): Effect.Effect<void, DatabaseError> =>
  result.command === "COMMIT"
    ? Effect.void
    : Effect.fail(
        new DatabaseError({
          operation: "commit",
          reason: new Other({ sqlState: "25P02", detail: "it was rolled back" })
        })
      )

const transactionOf = (
  client: pg.PoolClient,
  explain: (error: DatabaseError) => DatabaseError,
  words: ServerWords
): Transaction => ({
  query: (text, parameters) =>
    run("query", words, async (): Promise<ReadonlyArray<Row>> => {
      const config: pg.QueryConfig & { queryMode: string } = {
        text,
        values: [...(parameters ?? [])],
        queryMode: "extended"
      }
      const result = await client.query(config)
      return result.rows
    }).pipe(Effect.mapError(explain)),
  fetch: (text, parameters) =>
    run("query", words, async (): Promise<FetchedRows> => {
      const config: pg.QueryArrayConfig & { queryMode: string } = {
        text,
        values: [...(parameters ?? [])],
        rowMode: "array",
        queryMode: "extended"
      }
      const { fields, rowCount, rows } = await client.query(config)
      return {
        columns: fields.map(({ dataTypeID, name }) => ({ name, type: dataTypeID })),
        rows,
        affected: rowCount ?? 0
      }
    }).pipe(Effect.mapError(explain)),
  execute: (sql) =>
    run("execute", words, async (): Promise<ReadonlyArray<ReadonlyArray<Row>>> => {
      // Of several statements the driver answers an array of results, which its types do not know.
      const results: pg.QueryResult<Row> | ReadonlyArray<pg.QueryResult<Row>> = await client.query<Row>(sql)
      return ("rows" in results ? [results] : results).map(({ rows }) => rows)
    }).pipe(Effect.mapError(explain)),
  copyIn: (target, chunks) =>
    Effect.tryPromise({
      try: async (signal) => {
        const copy = client.query(copyFrom(`COPY ${target} FROM STDIN WITH (FORMAT binary)`))
        await pipeline(isWaitedFor(copy, client) ? chunks : copies(chunks), copy, { signal })
        return copy.rowCount
      },
      catch: toDatabaseError("copy", words)
    })
})

/**
 * Whether the next but one chunk is asked for only when one has left: of two chunks one is larger than what a stream takes
 * without being waited for, unless somebody has made that larger for the whole process.
 */
const isWaitedFor = (copy: Writable, client: pg.PoolClient): boolean => {
  const { connection } = client as pg.PoolClient & { readonly connection?: { readonly stream?: Writable } }
  const wire = connection?.stream
  return [copy, wire].every((stream) => stream !== undefined && stream.writableHighWaterMark <= largerOfTwo)
}

/** Chunks nobody writes into again. */
async function* copies(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield new Uint8Array(chunk)
}

/** After a failure the connection is kept only if it still rolls back; after an interruption a statement may be under way. */
const recycle = async (client: pg.PoolClient, exit: Exit.Exit<unknown, unknown>): Promise<void> => {
  let destroy = Exit.hasInterrupts(exit)
  if (Exit.isFailure(exit) && !destroy) {
    await client.query("ROLLBACK").catch(() => {
      destroy = true
    })
  }
  client.release(destroy)
}
