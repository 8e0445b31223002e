import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DirectoryInUse, holdDirectory, lockFileName } from "../src/index.ts"
import { end, startHolder, temporaryDirectory } from "./processes.ts"

const noLocks = (): boolean => {
  throw Object.assign(new Error("no locks available"), { code: "ENOLCK" })
}

/** Holds a directory of a file system without locks; `patience` is what the test can wait where the holder has gone. */
const hold = (directory: string, patience: number) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: () =>
        holdDirectory(directory, {
          former: { path: join(directory, "lock"), format: "pid" },
          tryLock: noLocks,
          heartbeat: { every: 50, giveUp: patience / 2, patience }
        }),
      catch: (cause) => (cause instanceof DirectoryInUse ? cause.by : `failed: ${cause}`)
    }),
    (release) => Effect.promise(release)
  )

const beatFile = (directory: string) => join(directory, `${lockFileName}.heartbeat`)

describe("a directory on a file system without locks", () => {
  it.live("is refused while its holder lives, even if that never lets its main thread go", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const { child, line } = yield* startHolder([directory, "heartbeat", "blocked"])
      assert.strictEqual(line, "held")
      // Ends with the first beat seen; only a holder that looks dead takes the whole patience.
      assert.match(yield* Effect.flip(hold(directory, 30_000)), new RegExp(`^process ${child.pid}, since`))
    })
  )

  it.live("is taken over where its holder was killed, and where its file is empty", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const { child } = yield* startHolder([directory, "heartbeat"])
      yield* Effect.promise(() => end(child))
      yield* Effect.scoped(hold(directory, 400))
      writeFileSync(beatFile(directory), "")
      yield* Effect.scoped(hold(directory, 400))
    })
  )

  it.live("ends a holder that finds another's lock in the place of its own", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const { child } = yield* startHolder([directory, "heartbeat", "blocked"])
      const said: Array<Buffer> = []
      child.stderr?.on("data", (chunk: Buffer) => said.push(chunk))
      const ended = once(child, "exit")
      const text = readFileSync(beatFile(directory), "utf8")
      writeFileSync(beatFile(directory), text.replace(/^\S+/, "another"))
      const [, signal] = yield* Effect.promise(() => ended)
      assert.strictEqual(signal, "SIGKILL")
      assert.include(Buffer.concat(said).toString(), "another process has taken the directory over")
    })
  )
})
