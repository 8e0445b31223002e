import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { directoryStore } from "../src/DirectoryStore.ts"
import { folder } from "./folder.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe("a pointer in a directory", () => {
  it.live("is moved by one of several who have read the same", () =>
    Effect.gen(function* () {
      const store = directoryStore(yield* folder)
      const outcomes = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, at) => `${at}`),
        (name) => store.movePointer("a/p", undefined, bytesOf(name)),
        { concurrency: 8 }
      )
      assert.strictEqual(outcomes.filter((moved) => moved).length, 1)
      const now = yield* store.readPointer("a/p")
      assert.strictEqual(textOf(now!.bytes), String(outcomes.indexOf(true)))
    })
  )

  it.live("loses no step of many who each add one, and its plain file follows", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const step = (name: string): Effect.Effect<void, unknown> =>
        Effect.gen(function* () {
          const store = directoryStore(path)
          for (;;) {
            const now = yield* store.readPointer("p")
            const steps = now === undefined ? [] : textOf(now.bytes).split(",")
            if (steps.includes(name)) return
            yield* store.movePointer("p", now, bytesOf([...steps, name].join(",")))
          }
        })
      const names = Array.from({ length: 40 }, (_, at) => `${at}`)
      yield* Effect.forEach(names, step, { concurrency: 8 })
      const last = yield* directoryStore(path).readPointer("p")
      assert.sameMembers(textOf(last!.bytes).split(","), names)
      assert.strictEqual(yield* Effect.promise(() => readFile(join(path, "p"), "utf8")), textOf(last!.bytes))
    })
  )

  it.live("is not moved by one who stood still while others went on", () =>
    Effect.gen(function* () {
      const store = directoryStore(yield* folder)
      let before = yield* store.readPointer("p")
      const seen = []
      for (const name of ["a", "b", "c", "d"]) {
        assert.isTrue(yield* store.movePointer("p", before, bytesOf(name)))
        before = yield* store.readPointer("p")
        seen.push(before)
      }
      for (const stale of [undefined, ...seen.slice(0, 3)]) {
        assert.isFalse(yield* store.movePointer("p", stale, bytesOf("stale")))
        assert.strictEqual(textOf((yield* store.readPointer("p"))!.bytes), "d")
      }
    })
  )
})
