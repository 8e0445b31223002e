import { assert, describe, it } from "@effect/vitest"
import { Effect, Semaphore } from "effect"
import { type Migration, type MigrationTransaction, runMigrations, type TransactionRunner } from "../src/index.ts"

const steps = (...ids: ReadonlyArray<string>): ReadonlyArray<Migration> => ids.map((id) => ({ id, sql: `-- ${id}` }))

/** A database in memory: a failed transaction leaves no trace, and the lock is held until the end of the transaction. */
const memoryDatabase = (failing?: string) => {
  let state: { readonly prepared: number; readonly ids: ReadonlyArray<string> } = { prepared: 0, ids: [] }
  const mutex = Semaphore.makeUnsafe(1)
  const inTransaction: TransactionRunner<string> = (use) =>
    Effect.suspend(() => {
      let next: typeof state | undefined
      let isLocked = false
      const tx: MigrationTransaction<string> = {
        lock: Effect.map(mutex.take(1), () => {
          isLocked = true
        }),
        applied: Effect.andThen(
          Effect.yieldNow,
          Effect.sync(() => (next ?? state).ids)
        ),
        prepare: Effect.sync(() => {
          next = { ...(next ?? state), prepared: state.prepared + 1 }
        }),
        apply: ({ id }) =>
          id === failing
            ? Effect.fail(`${id} is broken`)
            : Effect.sync(() => {
                const before = next ?? state
                next = { ...before, ids: [...before.ids, id] }
              })
      }
      return use(tx).pipe(
        Effect.tap(() =>
          Effect.sync(() => {
            state = next ?? state
          })
        ),
        Effect.ensuring(Effect.suspend(() => (isLocked ? mutex.release(1) : Effect.void)))
      )
    })
  return { inTransaction, state: () => state }
}

describe("runMigrations", () => {
  it.effect("applies what is missing, in order, once", () =>
    Effect.gen(function* () {
      const { inTransaction, state } = memoryDatabase()
      assert.deepStrictEqual(yield* runMigrations(inTransaction, steps("a", "b")), ["a", "b"])
      assert.deepStrictEqual(yield* runMigrations(inTransaction, steps("a", "b")), [])
      assert.deepStrictEqual(yield* runMigrations(inTransaction, steps("a", "b", "c")), ["c"])
      assert.deepStrictEqual(state(), { prepared: 1, ids: ["a", "b", "c"] })
    })
  )

  it.effect("lets any number of processes start at once", () =>
    Effect.gen(function* () {
      const { inTransaction, state } = memoryDatabase()
      const known = steps("a", "b", "c")
      const ran = yield* Effect.all(
        Array.from({ length: 8 }, () => runMigrations(inTransaction, known)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(ran.flat().sort(), ["a", "b", "c"])
      assert.deepStrictEqual(state(), { prepared: 1, ids: ["a", "b", "c"] })
    })
  )

  it.effect("keeps what ran before a migration that fails, and continues after it", () =>
    Effect.gen(function* () {
      const { inTransaction, state } = memoryDatabase("b")
      assert.strictEqual(yield* Effect.flip(runMigrations(inTransaction, steps("a", "b", "c"))), "b is broken")
      assert.deepStrictEqual(state(), { prepared: 1, ids: ["a"] })
    })
  )

  it.effect("creates nothing when the first migration fails", () =>
    Effect.gen(function* () {
      const { inTransaction, state } = memoryDatabase("a")
      yield* Effect.flip(runMigrations(inTransaction, steps("a", "b")))
      assert.deepStrictEqual(state(), { prepared: 0, ids: [] })
    })
  )

  it.effect("refuses a database of a newer build, and changes nothing", () =>
    Effect.gen(function* () {
      const { inTransaction, state } = memoryDatabase()
      yield* runMigrations(inTransaction, steps("a", "b", "c"))
      const failure = yield* Effect.flip(runMigrations(inTransaction, steps("a", "d")))
      assert.deepInclude(failure, { _tag: "NewerSchema", ids: ["b", "c"] })
      assert.deepStrictEqual(state().ids, ["a", "b", "c"])
    })
  )
})
