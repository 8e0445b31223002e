import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option } from "effect"
import { FanOutBuffer } from "../src/run/deliver/FanOutBuffer.ts"
import { SinkError, SinkFailed } from "../src/sink/SinkError.ts"
import type { StoredSegment } from "../src/vault/Vault.ts"

const segment = (seq: number, bytes: number): StoredSegment => ({ seq, epoch: 1, bytes, keys: [], jobs: [], drift: [] })

const error = new SinkError({
  sink: "b",
  operation: "write",
  isRetryable: false,
  reason: new SinkFailed({ detail: "full", cause: null })
})

describe("FanOutBuffer", () => {
  for (const [bound, buffer, bytes] of [
    ["segments", new FanOutBuffer({ maxBytes: 1e9, maxSegments: 3, sinks: 2 }), 1],
    ["bytes", new FanOutBuffer({ maxBytes: 300, maxSegments: 1e9, sinks: 2 }), 100]
  ] as const) {
    it.effect(`has room below its bound of ${bound}, and again once every sink has taken one`, () =>
      Effect.gen(function* () {
        const kept = [1, 2, 3].map((seq) => segment(seq, bytes))
        for (const each of kept) {
          yield* buffer.room
          buffer.add(each, ["a", "b"])
        }
        const waiting = yield* Effect.forkChild(buffer.room, { startImmediately: true })
        assert.isFalse(buffer.isGrowing)
        assert.isFalse(buffer.taken(kept[0]!, "a"))
        yield* Effect.yieldNow
        assert.isUndefined(waiting.pollUnsafe())
        assert.isTrue(buffer.taken(kept[0]!, "b"))
        yield* Fiber.join(waiting)
        assert.isTrue(buffer.isGrowing)
      })
    )
  }

  it.effect("fails for want of room with the error of the sink that could make some", () =>
    Effect.gen(function* () {
      const buffer = new FanOutBuffer({ maxBytes: 100, maxSegments: 8, sinks: 2 })
      buffer.add(segment(1, 100), ["a", "b"])
      buffer.taken(segment(1, 100), "a")
      buffer.markFailed("b", error)
      assert.strictEqual(yield* Effect.flip(buffer.room), error)
    })
  )

  it.effect("says when every sink has failed, and not before", () =>
    Effect.gen(function* () {
      const buffer = new FanOutBuffer({ maxBytes: 100, maxSegments: 8, sinks: 2 })
      const failing = yield* Effect.forkChild(buffer.allFailed, { startImmediately: true })
      buffer.markFailed("a", error)
      yield* Effect.yieldNow
      assert.isUndefined(failing.pollUnsafe())
      buffer.markFailed("b", error)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(failing)))
    })
  )

  it.effect("gives each sink every segment once, and none after the end", () =>
    Effect.gen(function* () {
      const buffer = new FanOutBuffer({ maxBytes: 1e9, maxSegments: 8, sinks: 2 })
      for (const seq of [1, 2]) buffer.add(segment(seq, 1), ["a", "b"])
      buffer.end()
      for (const sink of ["a", "b"]) {
        const seqs = [yield* buffer.next(sink), yield* buffer.next(sink), yield* buffer.next(sink)]
        assert.deepStrictEqual(
          seqs.map((next) => Option.getOrUndefined(next)?.seq),
          [1, 2, undefined]
        )
      }
    })
  )
})
