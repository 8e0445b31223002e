import { realpath } from "node:fs/promises"
import { Effect } from "effect"
import type { Database, Row } from "./Database.ts"
import { DatabaseError, Denied, Unreachable } from "./DatabaseError.ts"
import { askHolder, Unanswered } from "./ReadSocket.ts"

/**
 * The embedded database in a directory as another process shows it that holds it: for the statements that are declared as shared
 * reads, and no others. None: nobody answers there.
 *
 * `Postgres.openReader` opens the database itself where nobody does, which keeps other processes from it meanwhile. What it
 * answers fails with a `DatabaseError`, whose reason is `Unreachable` where the process has just ended.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Effect } from "effect"
 *
 * const underWay = Effect.gen(function* () {
 *   const database = yield* Postgres.openHeld({ directory: "./.sluice/postgres", schema: "public" })
 *   return database === undefined ? [] : yield* Postgres.ledger(database).runs({ limit: 10 })
 * })
 * ```
 */
export const heldDatabase = Effect.fn("HeldDatabase.open")(function* (options: {
  readonly directory: string
  readonly schema: string
}): Effect.fn.Return<Database | undefined> {
  const directory = yield* Effect.promise(() => realpath(options.directory).catch(() => undefined))
  if (directory === undefined) return undefined
  const ask = (sql: string, parameters: ReadonlyArray<unknown>) =>
    Effect.tryPromise({
      try: (): Promise<ReadonlyArray<Row>> =>
        askHolder(directory, { schema: options.schema, sql, parameters: parameters.map(asJson) }),
      catch: (cause) => (cause instanceof Unanswered ? cause : new Unanswered("the answer cannot be read", false))
    })
  const isThere = yield* ask("", []).pipe(
    Effect.as(true),
    Effect.catch(({ isAbsent }) => Effect.succeed(!isAbsent))
  )
  if (!isThere) return undefined
  const refused = new DatabaseError({
    operation: "open",
    reason: new Denied({ detail: `the directory ${options.directory} is in use by a process that only shows its runs` })
  })
  return {
    kind: "pglite",
    session: null,
    schema: options.schema,
    store: { directory },
    concurrency: 1,
    assertRoom: Effect.void,
    transaction: () => Effect.fail(refused),
    query: (sql, parameters = []) =>
      ask(sql, parameters).pipe(
        Effect.mapError(() => {
          const detail = `the process that holds ${options.directory} did not answer; it may just have ended: try again`
          return new DatabaseError({ operation: "query", reason: new Unreachable({ detail }) })
        })
      )
  }
})

const asJson = (value: unknown) => (typeof value === "number" || typeof value === "string" ? value : null)
