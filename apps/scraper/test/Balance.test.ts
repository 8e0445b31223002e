import { assert, describe, it } from "@effect/vitest"
import { isTerminal, PaymentRequired } from "@sluice/contract"
import { Effect, Fiber } from "effect"
import { clientOf, crawl, keys, stateDirectory, stoppable, testServer, until } from "./TestScraper.ts"
import { gate, page, testSite } from "./TestSite.ts"

/** Asserts that the call is refused with 402. */
const refused = Effect.fnUntraced(function* <A, E, R>(call: Effect.Effect<A, E, R>) {
  const error = yield* Effect.flip(call)
  if (!(error instanceof PaymentRequired)) return assert.fail(`not refused with 402: ${error}`)
  assert.strictEqual(error.code, "PAYMENT_REQUIRED")
})

describe("the balance of tokens", () => {
  it.live("covers what is done, and refuses what it does not cover, over restarts too", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home", "/a", "/gone"), "/a": page("a") })
      const url = site.url("/")
      const stateDir = yield* stateDirectory
      const first = yield* stoppable(stateDir, { tokenBalance: 5 })
      const { client } = first
      yield* refused(client.crawl.createCrawl({ payload: { url } }))
      yield* refused(client.batch.createBatch({ payload: { urls: Array.from({ length: 6 }, () => url) } }))
      assert.deepStrictEqual(site.asked(), [])
      // Two of the three pages are had, so two tokens are used.
      yield* crawl(client, { url, limit: 3 })
      assert.deepInclude(yield* client.statistics.getUsage({}), { tokens_used: 2, tokens_reserved: 0, tokens_left: 3 })
      yield* first.stop

      const second = yield* stoppable(stateDir, { tokenBalance: 5 })
      const again = second.client
      yield* refused(again.crawl.createCrawl({ payload: { url, limit: 4 } }))
      const { job_id } = yield* again.batch.createBatch({ payload: { urls: [url, url] } })
      yield* until(again.batch.getBatch({ params: { job_id }, query: {} }), ({ status }) => isTerminal(status))
      yield* again.extract.createExtraction({ payload: { url } })
      yield* refused(again.extract.createExtraction({ payload: { url } }))
      yield* refused(again.extract.createExtraction({ payload: { url, processing_mode: "async" } }))
      yield* refused(again.crawl.createCrawl({ payload: { url, depth: 1 } }))
      yield* refused(again.map.mapUrls({ payload: { url } }))
      // Lookups are free, and the balance of another key is its own.
      assert.strictEqual((yield* again.crawl.listCrawlJobs({ query: {} })).jobs.length, 1)
      yield* (yield* clientOf(second.baseUrl, keys[1])).extract.createExtraction({ payload: { url } })
    })
  )

  it.live("is reserved by what is open, and given back by what ends short of it or is cancelled", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow", "/a"))
      const site = yield* testSite({ "/": slow.route, "/a": page("a") })
      const url = site.url("/")
      const client = yield* clientOf(yield* testServer({ tokenBalance: 10 }))
      const reserved = Effect.map(client.statistics.getUsage({}), (usage) => usage.tokens_reserved)
      const { job_id } = yield* client.crawl.createCrawl({ payload: { url, limit: 6 } })
      assert.strictEqual(yield* reserved, 6)
      const sync = yield* Effect.forkChild(client.extract.createExtraction({ payload: { url } }))
      yield* until(
        Effect.sync(() => site.hits("/")),
        (hits) => hits === 2
      )
      assert.strictEqual(yield* reserved, 7)
      yield* refused(client.batch.createBatch({ payload: { urls: [url, url, url, url] } }))
      const batch = yield* client.batch.createBatch({ payload: { urls: [url, url] } })
      assert.strictEqual(yield* reserved, 9)
      // One page of the crawl is in work, so it may still cost that much.
      yield* client.crawl.cancelCrawl({ params: { job_id } })
      assert.strictEqual(yield* reserved, 4)
      slow.open()
      yield* Fiber.join(sync)
      yield* until(client.batch.getBatch({ params: { job_id: batch.job_id }, query: {} }), ({ status }) =>
        isTerminal(status)
      )
      yield* until(reserved, (tokens) => tokens === 0)
      assert.deepInclude(yield* client.statistics.getUsage({}), { tokens_used: 4, tokens_left: 6 })
    })
  )
})
