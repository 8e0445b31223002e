import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { HostQueue } from "../src/HostQueue.ts"
import { type ScraperConfig, ServerSettings, withDefaults } from "../src/ScraperConfig.ts"

const queue = (config: Partial<ScraperConfig>) =>
  HostQueue.layer.pipe(
    Layer.provide(Layer.succeed(ServerSettings, withDefaults({ apiKeys: [Redacted.make("k")], ...config })))
  )

describe("HostQueue", () => {
  it.effect("keeps requests to one host apart, and to other hosts not", () =>
    Effect.gen(function* () {
      const hosts = yield* HostQueue
      const starts: Array<readonly [host: string, at: number]> = []
      const request = (host: string) =>
        hosts.run(
          host,
          100,
          Effect.map(Clock.currentTimeMillis, (at) => void starts.push([host, at]))
        )
      const fiber = yield* Effect.forkChild(
        Effect.all([request("a"), request("a"), request("b"), request("a")], { concurrency: 4 })
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        starts.filter(([host]) => host === "a").map(([, at]) => at),
        [0, 100, 200]
      )
      assert.deepStrictEqual(
        starts.filter(([host]) => host === "b"),
        [["b", 0]]
      )
    }).pipe(Effect.provide(queue({})))
  )

  it.effect("bounds the requests to a host and over all hosts", () =>
    Effect.gen(function* () {
      const hosts = yield* HostQueue
      const open = yield* Deferred.make<void>()
      let running = 0
      const request = (host: string) =>
        hosts.run(
          host,
          0,
          Effect.andThen(
            Effect.sync(() => void running++),
            Deferred.await(open)
          )
        )
      const one = yield* Effect.forkChild(Effect.forEach(["a", "a", "a"], request, { concurrency: 3 }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(running, 2)
      const more = yield* Effect.forkChild(Effect.forEach(["b", "c"], request, { concurrency: 2 }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(running, 3)
      yield* Deferred.succeed(open, undefined)
      yield* Fiber.join(one)
      yield* Fiber.join(more)
      assert.strictEqual(running, 5)
    }).pipe(Effect.provide(queue({ hostConcurrency: 2, concurrency: 3 })))
  )
})
