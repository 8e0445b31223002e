import { randomBytes } from "node:crypto"
import type { Writable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { Effect, Exit, Redacted, type Scope } from "effect"
import pg from "pg"
import { from as copyFrom } from "pg-copy-streams"
import { largerOfTwo } from "./CopyBinary.ts"
import { columnParsers } from "./columnParsers.ts"
import { beginStatement, Database, type Row, type Transaction } from "./Database.ts"
import { DatabaseError, Other, toDatabaseError } from "./DatabaseError.ts"

/** How a server is reached. */
export interface PgOptions {
  readonly url: Redacted.Redacted
  readonly schema: string
  /** Connections at most. */
  readonly max: number
  /** Milliseconds a new connection may take. */
  readonly connectTimeout: number
}

const asText = (text: string): unknown => text

/** A Postgres server behind a pool that lives as long as the scope. Nothing is sent before the first statement. */
export const openPg = Effect.fn("PgDatabase.open")(function* (
  options: PgOptions
): Effect.fn.Return<Database["Service"], DatabaseError, Scope.Scope> {
  const session = `sluice-${process.pid}-${randomBytes(6).toString("hex")}`
  const pool = yield* Effect.acquireRelease(
    Effect.try({ try: () => makePool(options, session), catch: toDatabaseError("open") }),
    (pool) => Effect.promise(() => pool.end())
  )
  const begin = beginStatement(options.schema)
  const connect = Effect.tryPromise({ try: () => pool.connect(), catch: toDatabaseError("connect") })
  const transaction = <A, E, R>(use: (transaction: Transaction) => Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      connect,
      (client) =>
        run("begin", () => client.query(begin)).pipe(
          Effect.andThen(use(transactionOf(client))),
          Effect.tap(run("commit", () => client.query("COMMIT")).pipe(Effect.flatMap(committed)))
        ),
      (client, exit) => Effect.promise(() => giveBack(client, exit))
    )
  return Database.of({
    kind: "pg",
    session,
    schema: options.schema,
    store: pool,
    concurrency: 2,
    transaction,
    query: (sql, parameters) => transaction((tx) => tx.query(sql, parameters))
  })
})

const ignore = () => {}

const makePool = (options: PgOptions, session: string): pg.Pool => {
  const pool = new pg.Pool({
    connectionString: Redacted.value(options.url),
    max: options.max,
    connectionTimeoutMillis: options.connectTimeout,
    application_name: session,
    types: { getTypeParser: (oid: number) => columnParsers[oid] ?? asText }
  })
  // Without a listener a connection's end would end the process, whether it is idle, at work or on its way between the two;
  // the next statement meets the failure anyway.
  pool.on("connect", (client) => void client.on("error", ignore))
  pool.on("error", ignore)
  return pool
}

const run = <A>(operation: string, statement: () => Promise<A>): Effect.Effect<A, DatabaseError> =>
  Effect.tryPromise({ try: statement, catch: toDatabaseError(operation) })

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

const transactionOf = (client: pg.PoolClient): Transaction => ({
  query: (text, parameters) =>
    run("query", async (): Promise<ReadonlyArray<Row>> => {
      const config: pg.QueryConfig & { queryMode: string } = {
        text,
        values: [...(parameters ?? [])],
        queryMode: "extended"
      }
      const result = await client.query(config)
      return result.rows
    }),
  execute: (sql) => run("execute", () => client.query(sql)),
  copyIn: (target, chunks) =>
    Effect.tryPromise({
      try: (signal) => {
        const copy = client.query(copyFrom(`COPY ${target} FROM STDIN WITH (FORMAT binary)`))
        return pipeline(isWaitedFor(copy, client) ? chunks : copies(chunks), copy, { signal })
      },
      catch: toDatabaseError("copy")
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
const giveBack = async (client: pg.PoolClient, exit: Exit.Exit<unknown, unknown>): Promise<void> => {
  let destroy = Exit.hasInterrupts(exit)
  if (Exit.isFailure(exit) && !destroy) {
    await client.query("ROLLBACK").catch(() => {
      destroy = true
    })
  }
  client.release(destroy)
}
