import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { bundles } from "../../../test/setup/bundles.ts"
import { Postgres } from "../src/index.ts"
import { temporaryDirectory } from "./databases.ts"

const program = bundles.holdDirectory.file

const startHolder = (directory: string) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [program, directory], { stdio: ["ignore", "pipe", "inherit"] })),
    (holder) => Effect.promise(() => kill(holder))
  )

const holdDirectory = (directory: string) =>
  Effect.tap(startHolder(directory), (holder) => Effect.promise(() => once(holder.stdout, "data")))

/** Runs a program in a PID namespace of its own, as another container would. */
const ownNamespace = ["unshare", "-p", "-f", "--mount-proc", "--kill-child"]

/** Why no PID namespace can be made here, if none can: it takes root on Linux, and a container may refuse even that. */
const namespaceRefusal = ((): string | undefined => {
  const tried = spawnSync(ownNamespace[0]!, [...ownNamespace.slice(1), "true"], { encoding: "utf8" })
  return tried.status === 0 ? undefined : (tried.error?.message ?? tried.stderr.trim())
})()
if (namespaceRefusal !== undefined) process.stdout.write(`skipped: PID namespaces of their own, ${namespaceRefusal}\n`)

const inNamespace = (directory: string, ...flags: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const [command, ...args] = [...ownNamespace, process.execPath, program, directory, ...flags]
      return spawn(command!, args, { stdio: ["ignore", "pipe", "inherit"] })
    }),
    (child) => Effect.promise(() => kill(child))
  )

const firstLine = (child: ReturnType<typeof spawn>) =>
  Effect.promise(async () => String((await once(child.stdout!, "data"))[0]).trim())

const kill = async (holder: ReturnType<typeof spawn>): Promise<void> => {
  if (holder.exitCode !== null || holder.signalCode !== null) return
  holder.kill("SIGKILL")
  await once(holder, "exit")
}

/** What `unshare` started ends a moment after it. */
const openOnceFree = (directory: string) =>
  Effect.retry(Postgres.open({ directory }), {
    while: ({ message }) => message.includes("is in use by"),
    schedule: Schedule.spaced("50 millis"),
    times: 200
  })

const isLong = process.env.SLUICE_LONG_TESTS !== undefined

describe("PGlite in a directory", () => {
  it.effect(
    "refuses a second process, and takes over from one that was killed",
    () =>
      Effect.gen(function* () {
        const directory = join(yield* temporaryDirectory, "data")
        const holder = yield* holdDirectory(directory)
        const failure = yield* Effect.flip(Effect.scoped(Postgres.open({ directory })))
        assert.strictEqual(failure.reason._tag, "Denied")
        assert.include(failure.message, `is in use by process ${holder.pid}`)
        yield* Effect.promise(() => kill(holder))
        const database = yield* Postgres.open({ directory })
        assert.deepStrictEqual(yield* Postgres.migrate(database), [])
      }),
    240_000
  )

  // Two containers that share a volume: by its process id, each would take the other for dead.
  it.live.skipIf(namespaceRefusal !== undefined)(
    "is opened by one of many containers, whose rows are all there and nobody else's",
    () =>
      Effect.gen(function* () {
        const directory = join(yield* temporaryDirectory, "data")
        const holder = yield* inNamespace(directory, "rows")
        assert.strictEqual(yield* firstLine(holder), "open")
        const said: Array<string> = []
        holder.stdout?.on("data", (chunk: Buffer) => said.push(...chunk.toString().trim().split("\n")))
        for (let tried = 0; tried < (isLong ? 20 : 3); tried++) {
          const line = yield* Effect.scoped(Effect.flatMap(inNamespace(directory, "rows"), firstLine))
          assert.match(
            line,
            /^refused: .*is in use by process 1 in another container \(PID namespace\).*give the sink a url/
          )
        }
        yield* Effect.promise(() => kill(holder))
        const claimed = Number(said.findLast((line) => line.startsWith("rows "))?.slice(5))
        const database = yield* openOnceFree(directory)
        const [counted] = yield* database.query(
          "SELECT count(*)::int AS n, max(n) AS last, count(DISTINCT by)::int AS writers FROM written"
        )
        assert.isAtLeast(Number(counted?.n), claimed)
        assert.deepInclude(counted, { last: counted?.n, writers: 1 })
      }),
    240_000
  )

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
