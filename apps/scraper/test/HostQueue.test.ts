import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { HostQueue } from "../src/fetching/HostQueue.ts"
import { transientFailure } from "../src/net/PageFailure.ts"
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
        hosts.run(host, 100, () => Effect.map(Clock.currentTimeMillis, (at) => void starts.push([host, at])))
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
        hosts.run(host, 0, () =>
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

  it.effect("counts from when a request really started, however long it waited for others", () =>
    Effect.gen(function* () {
      const hosts = yield* HostQueue
      const starts: Array<number> = []
      const request = (host: string, takesMs: number) =>
        hosts.run(host, 100, () =>
          Effect.andThen(
            Effect.map(Clock.currentTimeMillis, (at) => void (host === "a" && starts.push(at))),
            Effect.sleep(takesMs)
          )
        )
      const fiber = yield* Effect.forkChild(
        Effect.all([request("b", 1000), request("a", 1), request("a", 1)], { concurrency: 3 })
      )
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(starts, [1000, 1100])
    }).pipe(Effect.provide(queue({ concurrency: 1 })))
  )

  it.effect("fails what waits for a host at once when it is paused, and leaves the others alone", () =>
    Effect.gen(function* () {
      const hosts = yield* HostQueue
      let asked = 0
      const dead = Effect.andThen(
        Effect.sync(() => void asked++),
        Effect.andThen(Effect.sleep("30 seconds"), transientFailure("TIMEOUT", "silent"))
      )
      const fiber = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 20 }), () => Effect.flip(hosts.run("dead", 0, () => dead)), {
          concurrency: 20
        })
      )
      yield* TestClock.adjust("10 minutes")
      const codes = (yield* Fiber.join(fiber)).map(({ code }) => code)
      // One more was under way when the fourth failed.
      assert.strictEqual(asked, 5)
      assert.strictEqual(codes.filter((code) => code === "HOST_PAUSED").length, 15)
      assert.strictEqual(yield* hosts.run("alive", 0, () => Effect.succeed("had")), "had")
    }).pipe(Effect.provide(queue({ maxHostFailures: 4, hostConcurrency: 2, hostPauseMs: 3_600_000 })))
  )

  it.effect("remembers so many hosts and no more, none of them in use", () =>
    Effect.gen(function* () {
      const hosts = yield* HostQueue
      const gone = transientFailure("DNS_ERROR", "unknown")
      yield* Effect.forEach(
        Array.from({ length: 50 }, (_, at) => `h${at}`),
        (host) => Effect.flip(hosts.run(host, 0, () => gone))
      )
      // The one that was used first is forgotten, and with it its pause; the one that was used last is not.
      assert.strictEqual(yield* hosts.paused, 50)
      yield* TestClock.adjust("2 minutes")
      yield* Effect.forEach(
        Array.from({ length: 50 }, (_, at) => `i${at}`),
        (host) => Effect.flip(hosts.run(host, 0, () => gone))
      )
      assert.strictEqual(yield* hosts.paused, 50)
      assert.isAtMost(yield* hosts.known, 60)
    }).pipe(Effect.provide(queue({ maxHosts: 10, maxHostFailures: 1 })))
  )
})
