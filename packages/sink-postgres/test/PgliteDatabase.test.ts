import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readdirSync, watch, writeFileSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { todays } from "@sluice/testkit"
import { Effect } from "effect"
import { Postgres } from "../src/index.ts"
import { temporaryDirectory } from "./databases.ts"

const startHolder = (directory: string) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [fileURLToPath(new URL("./holdDirectory.ts", import.meta.url)), directory], {
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    (holder) => Effect.promise(() => kill(holder))
  )

const holdDirectory = (directory: string) =>
  Effect.tap(startHolder(directory), (holder) => Effect.promise(() => once(holder.stdout, "data")))

/** Waits until something of a name is in a directory. */
const appears = (directory: string, name: string) =>
  Effect.callback<void>((resume) => {
    const look = () => {
      if (existsSync(join(directory, name))) resume(Effect.void)
    }
    const watcher = watch(directory, look)
    look()
    return Effect.sync(() => watcher.close())
  })

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

  // The first entry is there while the archive is unpacked, the second once its parts are moved to where they belong.
  // One of them a day, both in the soak.
  for (const sign of todays([".unpacking", "global"], 2)) {
    it.effect(`is made anew where the process that made it was killed (${sign})`, () =>
      Effect.gen(function* () {
        const directory = join(yield* temporaryDirectory, "data")
        yield* Effect.promise(() => mkdir(directory))
        const maker = yield* startHolder(directory)
        yield* appears(directory, sign)
        yield* Effect.promise(() => kill(maker))
        const isHalf = !existsSync(join(directory, "PG_VERSION"))
        if (sign === ".unpacking") assert.isTrue(isHalf, readdirSync(directory).join())
        const database = yield* Postgres.open({ directory })
        assert.isNotEmpty(yield* Postgres.migrate(database))
        assert.notInclude(readdirSync(directory), ".unpacking")
      })
    )
  }

  it.effect("leaves alone a directory in which there is something else", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      writeFileSync(join(directory, "notes.txt"), "mine")
      const failure = yield* Effect.flip(Effect.scoped(Postgres.open({ directory })))
      assert.include(failure.message, `the directory ${directory} holds files, but no embedded database`)
      assert.deepStrictEqual(readdirSync(directory), ["notes.txt"])
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
