import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Postgres } from "../src/index.ts"
import { temporaryDirectory } from "./databases.ts"

const holdDirectory = (directory: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const holder = spawn(
        process.execPath,
        [fileURLToPath(new URL("./holdDirectory.ts", import.meta.url)), directory],
        {
          stdio: ["ignore", "pipe", "inherit"]
        }
      )
      await once(holder.stdout, "data")
      return holder
    }),
    (holder) => Effect.promise(() => kill(holder))
  )

const kill = async (holder: ReturnType<typeof spawn>): Promise<void> => {
  if (holder.exitCode !== null || holder.signalCode !== null) return
  holder.kill("SIGKILL")
  await once(holder, "exit")
}

describe("PGlite in a directory", () => {
  it.effect("refuses a second process, and takes over from one that was killed", () =>
    Effect.gen(function* () {
      const directory = join(yield* temporaryDirectory, "data")
      const holder = yield* holdDirectory(directory)
      const failure = yield* Effect.flip(Effect.scoped(Postgres.open({ directory })))
      assert.strictEqual(failure.reason._tag, "Denied")
      assert.include(failure.message, `is in use by process ${holder.pid}`)
      yield* Effect.promise(() => kill(holder))
      const database = yield* Postgres.open({ directory })
      assert.deepStrictEqual(yield* Postgres.migrate(database), [])
    })
  )

  it.effect("is one instance for all who ask, until the last has gone", () =>
    Effect.gen(function* () {
      const directory = join(yield* temporaryDirectory, "data")
      const first = yield* Effect.scoped(
        Effect.gen(function* () {
          const one = yield* Postgres.open({ directory })
          const other = yield* Postgres.open({ directory: `${directory}/../data` })
          assert.strictEqual(one.store, other.store)
          const elsewhere = yield* Postgres.open({ directory, schema: "elsewhere" })
          assert.notStrictEqual(one.store, elsewhere.store)
          yield* one.query("CREATE TABLE kept (id int)")
          const [seen] = yield* other.query("SELECT to_regclass('kept') IS NOT NULL AS seen")
          assert.deepStrictEqual(seen, { seen: true })
          return one
        })
      )
      assert.strictEqual(first.kind, "pglite")
      const again = yield* Postgres.open({ directory })
      assert.deepStrictEqual(yield* again.query("SELECT count(*) FROM kept"), [{ count: 0 }])
    })
  )
})
