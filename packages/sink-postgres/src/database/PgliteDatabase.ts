import { mkdir, realpath } from "node:fs/promises"
import type { PGlite } from "@electric-sql/pglite"
import { DirectoryInUse, holdDirectory } from "@sluice/directory-lock"
import { Effect, Exit, type Scope, Semaphore } from "effect"
import { type Access, beginStatement } from "./beginStatement.ts"
import { columnParsers } from "./columnParsers.ts"
import type { Database, FetchedRows, Row, Transaction } from "./Database.ts"
import { DatabaseError, Denied, Other, toDatabaseError } from "./DatabaseError.ts"
import type { EngineFiles } from "./EngineFiles.ts"
import { assertDatabaseOrEmpty, makeDirectory, NoDatabase } from "./makeDirectory.ts"
import { answerOthers, type Question } from "./ReadSocket.ts"
import { isSharedRead } from "./sharedReads.ts"
import { syncTree } from "./syncTree.ts"

/** Where an embedded database lives. */
export interface PgliteOptions extends Access {
  readonly directory: string
  readonly schema: string
}

/**
 * PGlite in a directory, open until the last scope that asked for it ends. Within a process the same directory is one
 * instance with one connection, so transactions run one at a time; a second process is refused.
 */
export const openPglite = Effect.fn("PgliteDatabase.open")(function* (
  options: PgliteOptions
): Effect.fn.Return<Database, DatabaseError, Scope.Scope> {
  const shared = yield* Effect.acquireRelease(
    opening.withPermit(Effect.tryPromise({ try: () => take(options.directory), catch: refused(options.directory) })),
    (shared) => opening.withPermit(closed(shared))
  )
  const begin = beginStatement(options.schema, options)
  const { engine } = shared
  const transaction = <A, E, R>(use: (transaction: Transaction) => Effect.Effect<A, E, R>) =>
    shared.turn.withPermit(
      Effect.acquireUseRelease(
        run("begin", () => engine.exec(begin)),
        () =>
          Effect.tap(
            use(transactionOf(engine)),
            run("commit", () => engine.exec("COMMIT"))
          ),
        (_, exit) =>
          Exit.isFailure(exit) ? Effect.promise(() => engine.exec("ROLLBACK").catch(() => undefined)) : Effect.void
      )
    )
  return {
    kind: "pglite",
    session: null,
    schema: options.schema,
    store: storeOf(shared, options.schema),
    concurrency: 1,
    assertRoom: Effect.void,
    transaction,
    query: (sql, parameters) => transaction((tx) => tx.query(sql, parameters))
  }
})

interface Shared {
  readonly path: string
  readonly engine: PGlite
  readonly files: EngineFiles
  readonly turn: Semaphore.Semaphore
  readonly stores: Map<string, object>
  readonly unlock: () => Promise<void>
  /** Ends the answers to other processes. */
  readonly silence: () => Promise<void>
  readonly opened: number
  holders: number
}

/** The instances open in this process, by real path; changed only under `opening`. */
const open = new Map<string, Shared>()
const opening = Semaphore.makeUnsafe(1)

const take = async (directory: string): Promise<Shared> => {
  await mkdir(directory, { recursive: true })
  const path = await realpath(directory)
  const known = open.get(path)
  if (known !== undefined) {
    known.holders++
    return known
  }
  await assertDatabaseOrEmpty(path)
  const unlock = await holdDirectory(path, { former: { path: `${path}.lock`, format: "json" } })
  try {
    // Loaded only here: a user with a server never pays for the engine.
    const { PGlite } = await import("@electric-sql/pglite")
    const { EngineFiles } = await import("./EngineFiles.ts")
    await makeDirectory(path)
    const opened = Date.now()
    const files = new EngineFiles(path)
    const startParams = [...PGlite.defaultStartParams, ...withoutTimer]
    const engine = await PGlite.create({ fs: files, parsers: columnParsers, startParams })
    const turn = Semaphore.makeUnsafe(1)
    const shared = {
      path,
      engine,
      files,
      turn,
      stores: new Map<string, object>(),
      unlock,
      silence: await answerOthers(path, (question) => answerOne({ engine, turn }, question)).catch(() => noAnswers),
      opened,
      holders: 1
    }
    open.set(path, shared)
    return shared
  } catch (cause) {
    await unlock()
    throw cause
  }
}

/** Where no socket can be made, others are told that the directory is in use. */
const noAnswers = async (): Promise<void> => undefined

/** Runs a statement for another process in its turn, in a transaction that changes nothing. */
const answerOne = (
  { engine, turn }: Pick<Shared, "engine" | "turn">,
  { parameters, schema, sql }: Question
): Promise<ReadonlyArray<Row>> => {
  if (sql === "") return Promise.resolve([])
  if (!isSharedRead(sql)) return Promise.reject(new Error("not a shared read"))
  const read = async (): Promise<ReadonlyArray<Row>> => {
    await engine.exec(`${beginStatement(schema)}; SET TRANSACTION READ ONLY`)
    try {
      return (await engine.query<Row>(sql, [...parameters])).rows
    } finally {
      await engine.exec("ROLLBACK")
    }
  }
  return Effect.runPromise(turn.withPermit(Effect.promise(read)))
}

/** The timer of a recovery's progress would keep the process of an engine that has ended alive for ever. */
const withoutTimer = ["-c", "log_startup_progress_interval=0"]

const closed = (shared: Shared): Effect.Effect<void> =>
  Effect.tryPromise(() => recycle(shared)).pipe(
    Effect.catch(({ cause }) =>
      Effect.logWarning(`the embedded database in ${shared.path} was not closed as it should be: ${reasonOf(cause)}`)
    )
  )

/** Only a code: a message of the engine may quote what it was given. */
const reasonOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause ? String(cause.code) : "its engine failed"

const recycle = async (shared: Shared): Promise<void> => {
  if (--shared.holders > 0) return
  open.delete(shared.path)
  try {
    await shared.silence()
    await (shared.files.hasEnded ? shared.files.closeFs() : shared.engine.close())
    // The engine leaves it to the system when its files reach the disk; what a command has done is there when it ends.
    await syncTree(shared.path, shared.opened - clockSlack)
  } finally {
    await shared.unlock()
  }
}

/** File systems round the times of changes. */
const clockSlack = 2_000

/** Two databases over one instance share a transaction only where their names resolve alike. */
const storeOf = (shared: Shared, schema: string): object => {
  const store = shared.stores.get(schema) ?? { schema }
  shared.stores.set(schema, store)
  return store
}

const refused =
  (directory: string) =>
  (cause: unknown): DatabaseError => {
    if (cause instanceof DirectoryInUse) {
      const detail = `the directory ${directory} is in use by ${cause.by}; an embedded database serves one process at a time, so stop that one or give the sink a url`
      return new DatabaseError({ operation: "open", reason: new Denied({ detail }) })
    }
    if (cause instanceof NoDatabase) {
      const detail = `the directory ${directory} holds files, but no embedded database; name one that is empty or not there yet`
      return new DatabaseError({ operation: "open", reason: new Denied({ detail }) })
    }
    if (isDiskFull(cause)) {
      const detail = `the disk of the directory ${directory} is full; make room and run the same command again`
      return new DatabaseError({ operation: "open", reason: new Denied({ detail }) })
    }
    const error = toDatabaseError("open")(cause)
    if (error.reason._tag !== "Other") return error
    const detail = `the directory ${directory} could not be opened as an embedded database`
    return new DatabaseError({ operation: "open", reason: new Other({ sqlState: error.reason.sqlState, detail }) })
  }

const isDiskFull = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && (cause.code === "ENOSPC" || cause.code === "EDQUOT")

const run = <A>(operation: string, statement: () => Promise<A>): Effect.Effect<A, DatabaseError> =>
  Effect.tryPromise({ try: statement, catch: toDatabaseError(operation) })

const transactionOf = (engine: PGlite): Transaction => ({
  query: (sql, parameters) =>
    run("query", async (): Promise<ReadonlyArray<Row>> => (await engine.query<Row>(sql, [...(parameters ?? [])])).rows),
  fetch: (sql, parameters) =>
    run("query", async (): Promise<FetchedRows> => {
      const { affectedRows, fields, rows } = await engine.query<ReadonlyArray<unknown>>(sql, [...(parameters ?? [])], {
        rowMode: "array"
      })
      const columns = fields.map(({ dataTypeID, name }) => ({ name, type: dataTypeID }))
      return { columns, rows, affected: affectedRows ?? 0 }
    }),
  execute: (sql) =>
    run(
      "execute",
      async (): Promise<ReadonlyArray<ReadonlyArray<Row>>> => (await engine.exec(sql)).map(({ rows }) => rows)
    ),
  copyIn: (target, chunks) =>
    run("copy", async () => {
      const parts: Array<Uint8Array<ArrayBuffer>> = []
      for await (const chunk of chunks) parts.push(new Uint8Array(chunk))
      const copied = `COPY ${target} FROM '/dev/blob' WITH (FORMAT binary)`
      return (await engine.query(copied, [], { blob: new Blob(parts) })).affectedRows ?? 0
    })
})
