import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { RequestRate } from "../src/http/RequestRate.ts"

describe("the requests of a key", () => {
  it.effect("are at most its number in a minute, and others are not counted with them", () =>
    Effect.gen(function* () {
      const { secondsToWait } = yield* RequestRate
      const ask = (key: string, times: number) =>
        Effect.forEach(Array.from({ length: times }), () => secondsToWait(key, 3))
      assert.deepStrictEqual(yield* ask("a", 4), [0, 0, 0, 60])
      assert.deepStrictEqual(yield* ask("b", 3), [0, 0, 0])
      yield* TestClock.adjust("20500 millis")
      assert.deepStrictEqual(yield* ask("a", 1), [40])
      yield* TestClock.adjust("39 seconds")
      assert.deepStrictEqual(yield* ask("a", 1), [1])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* ask("a", 4), [0, 0, 0, 60])
    }).pipe(Effect.provide(RequestRate.layer))
  )

  it.effect("never wait when they are spread over the minute", () =>
    Effect.gen(function* () {
      const { secondsToWait } = yield* RequestRate
      for (let request = 0; request < 30; request++) {
        assert.strictEqual(yield* secondsToWait("a", 3), 0)
        yield* TestClock.adjust("20 seconds")
      }
    }).pipe(Effect.provide(RequestRate.layer))
  )
})
