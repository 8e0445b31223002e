import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { startOf } from "../src/Holder.ts"
import { DirectoryInUse, holdDirectory, lockFileName } from "../src/index.ts"
import { end, namespaceRefusal, ownNamespace, startHolder, temporaryDirectory } from "./processes.ts"

const formerOf = (directory: string) => ({ path: join(directory, "lock"), format: "pid" }) as const

/** Holds a directory for the scope; fails with what the refusal says. */
const hold = (directory: string, format: "pid" | "json" = "pid") =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: () => holdDirectory(directory, { former: { ...formerOf(directory), format } }),
      catch: (cause) => (cause instanceof DirectoryInUse ? cause.by : `failed: ${cause}`)
    }),
    (release) => Effect.promise(release)
  )

const refusal = namespaceRefusal()
if (refusal !== undefined) process.stdout.write(`skipped: PID namespaces of their own, ${refusal}\n`)

describe("a held directory", () => {
  it.effect("refuses a second process, names the first, and is free when that was killed", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const first = yield* startHolder([directory])
      assert.strictEqual(first.line, "held")
      assert.match(yield* Effect.flip(hold(directory)), new RegExp(`^process ${first.child.pid}, since 20..-`))
      yield* Effect.promise(() => end(first.child))
      yield* hold(directory)
    })
  )

  it.effect("refuses the process that holds it as well, and is free once it was given back", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* hold(directory)
          assert.include(yield* Effect.flip(hold(directory)), `process ${process.pid}`)
        })
      )
      assert.isTrue(existsSync(join(directory, lockFileName)))
      assert.isFalse(existsSync(join(directory, "lock")))
      yield* hold(directory)
    })
  )

  it.effect.skipIf(refusal !== undefined)(
    "has one holder, whatever the container and the name it has there: 20 tries from PID namespaces of their own",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryDirectory
        const [directory, elsewhere] = [join(root, "data"), join(root, "volume")]
        mkdirSync(directory)
        mkdirSync(elsewhere)
        const inContainer = (command: ReadonlyArray<string>) => [
          ...ownNamespace,
          "sh",
          "-c",
          `mount --bind ${directory} ${elsewhere} && exec "$@"`,
          "sh",
          ...command
        ]
        const first = yield* startHolder([elsewhere], inContainer([]))
        assert.strictEqual(first.line, "held")
        const tries = Array.from({ length: 20 }, (_, index) => index)
        const lines = yield* Effect.forEach(
          tries,
          (index) =>
            Effect.scoped(
              Effect.map(
                index % 2 === 0 ? startHolder([directory], ownNamespace) : startHolder([elsewhere], inContainer([])),
                ({ line }) => line
              )
            ),
          { concurrency: 3 }
        )
        for (const line of lines)
          assert.match(
            line,
            new RegExp(`^refused: process 1 in another container \\(PID namespace\\) on ${hostname()}`)
          )
        yield* Effect.promise(() => end(first.child))
        // The child of `unshare` is told to end as its parent does; the kernel gives the lock back when it has.
        const { line } = yield* Effect.repeat(startHolder([directory], ownNamespace), {
          until: ({ line }) => line === "held",
          times: 100
        })
        assert.strictEqual(line, "held")
      }),
    120_000
  )

  it.effect("is not refused for what other processes left in its lock files", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const other = yield* startHolder([yield* temporaryDirectory])
      const alive = other.child.pid!
      const gone = 2 ** 22 - 1
      const longAgo = new Date(Date.now() - 365 * 86_400_000)
      const left: ReadonlyArray<readonly [string, "pid" | "json", Date?]> = [
        ["", "pid"],
        ["", "json"],
        ["\0\0\0\0", "pid"],
        ["half a line", "json"],
        ["{}", "json"],
        ["null", "json"],
        ["-1", "pid"],
        [`${gone}`, "pid"],
        [`${process.pid}`, "pid"],
        [JSON.stringify({ pid: gone, started: null }), "json"],
        [JSON.stringify({ pid: process.pid, started: null }), "json"],
        // The id of a process that has gone, given to another one since.
        [JSON.stringify({ pid: alive, started: "1" }), "json"],
        [`${alive}`, "pid", longAgo],
        [JSON.stringify({ pid: alive, started: null }), "json", longAgo],
        // This version's own marks: a process of it that was killed left them, and the kernel has its lock back.
        [`${alive}\n`, "pid"],
        [JSON.stringify({ pid: alive, started: startOf(alive), kernel: true }), "json"]
      ]
      for (const [text, format, written] of left) {
        const { path } = formerOf(directory)
        writeFileSync(path, text)
        if (written !== undefined) utimesSync(path, written, written)
        writeFileSync(join(directory, lockFileName), text)
        yield* Effect.scoped(hold(directory, format))
      }
    })
  )

  it.effect("is refused to this version where an older one runs, and to an older one where this runs", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const { path } = formerOf(directory)
      const { child } = yield* startHolder([yield* temporaryDirectory])
      const older = { pid: child.pid!, started: startOf(child.pid!) }
      for (const [text, format] of [
        [`${older.pid}`, "pid"],
        [JSON.stringify(older), "json"]
      ] as const) {
        writeFileSync(path, text)
        const by = yield* Effect.flip(Effect.scoped(hold(directory, format)))
        assert.strictEqual(by, `process ${older.pid}, of an older version`)
        assert.strictEqual(readFileSync(path, "utf8"), text, "the older one's file was touched")
      }
      rmSync(path)
      // What an older version reads while this one holds: a number, and a process with its start, both of a living process.
      for (const format of ["pid", "json"] as const) {
        const release = yield* Effect.promise(() => holdDirectory(directory, { former: { path, format } }))
        const text = readFileSync(path, "utf8")
        if (format === "pid") assert.strictEqual(Number(text), process.pid)
        else assert.deepInclude(JSON.parse(text), { pid: process.pid, started: startOf(process.pid) })
        yield* Effect.promise(release)
      }
    })
  )
})
