import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { type ScraperConfig, ServerSettings, withDefaults } from "../src/ScraperConfig.ts"
import { StateStore } from "../src/state/StateStore.ts"
import { WebhookDeliveries } from "../src/webhooks/WebhookDeliveries.ts"
import { WebhookPost } from "../src/webhooks/WebhookPost.ts"
import { type Subscription, WebhookStore } from "../src/webhooks/WebhookStore.ts"
import { until } from "./TestScraper.ts"

const subscription = (id: string, url: string): Subscription => ({
  id,
  owner: "me",
  seq: 1,
  url,
  description: null,
  isActive: true,
  event: "crawl_completed",
  createdAt: 0,
  updatedAt: 0,
  secret: "whsec_test",
  former: null
})

const ids = ["0b8f7c1e-3d52-4a8e-9c55-2f7d0e6a1b34", "1b8f7c1e-3d52-4a8e-9c55-2f7d0e6a1b34"] as const

/** Deliveries over a receiver that is played by the test. */
const deliveries = (post: WebhookPost["Service"]["post"], config: Partial<ScraperConfig> = {}) =>
  WebhookDeliveries.layer.pipe(
    Layer.provideMerge(WebhookStore.layer),
    Layer.provide(Layer.succeed(WebhookPost, WebhookPost.of({ post }))),
    Layer.provide(StateStore.layer),
    Layer.provide(Layer.succeed(ServerSettings, withDefaults({ apiKeys: [Redacted.make("k")], ...config })))
  )

const end = (jobId: string) => ({ event: "crawl_completed", jobId, data: { job_id: jobId } }) as const

/** Waits in real time: files are written while the virtual clock stands. */
const inRealTime = <A>(read: () => A, holds: (value: A) => boolean) =>
  TestClock.withLive(until(Effect.sync(read), holds))

const statusesOf = (store: WebhookStore["Service"], id: string) =>
  Array.from(store.deliveries(id)?.records.values() ?? [], ({ status }) => status)

describe("WebhookDeliveries", () => {
  it.effect("waits four times as long before each further attempt, and gives up after the sixth", () =>
    Effect.suspend(() => {
      const attempts: Array<number> = []
      const refusing = () =>
        Effect.as(
          Effect.map(Clock.currentTimeMillis, (at) => attempts.push(at)),
          500
        )
      return Effect.gen(function* () {
        const store = yield* WebhookStore
        yield* store.add(subscription(ids[0], "https://a.example/"))
        yield* (yield* WebhookDeliveries).enqueue(ids[0], end("job"))
        const times = [0, 10, 50, 210, 850, 3410].map((seconds) => seconds * 1000)
        for (const [index, at] of times.entries()) {
          yield* TestClock.setTime(at)
          yield* inRealTime(
            () => store.deliveries(ids[0])?.records.values().next().value?.attempts,
            (made) => made === index + 1
          )
        }
        assert.deepStrictEqual(attempts, times)
        assert.deepStrictEqual(statusesOf(store, ids[0]), ["abandoned"])
        yield* TestClock.adjust("10 days")
        assert.strictEqual(attempts.length, 6)
      }).pipe(Effect.provide(deliveries(refusing)))
    })
  )

  it.effect("lets one receiver that hangs hold up its own deliveries alone, and bounds what waits", () => {
    const post = (url: string) => (url.includes("hangs") ? Effect.never : Effect.succeed(200))
    return Effect.gen(function* () {
      const store = yield* WebhookStore
      const { enqueue } = yield* WebhookDeliveries
      yield* store.add(subscription(ids[0], "https://hangs.example/"))
      yield* store.add(subscription(ids[1], "https://well.example/"))
      for (const job of ["a", "b", "c", "d"]) {
        yield* enqueue(ids[0], end(job))
        yield* enqueue(ids[1], end(job))
        yield* enqueue(ids[1], end(job))
      }
      yield* inRealTime(
        () => statusesOf(store, ids[1]),
        (statuses) => statuses.length === 4 && statuses.every((status) => status === "success")
      )
      assert.deepStrictEqual(statusesOf(store, ids[0]), ["pending", "pending", "pending", "abandoned"])
    }).pipe(Effect.provide(deliveries(post, { webhookConcurrency: 2, maxPendingDeliveries: 3 })))
  })
})
