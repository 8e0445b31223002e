import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Crawl } from "../src/source/Crawl.ts"
import { acceptedBody, crawlBody, fakeApi, json, scraperOver } from "./FakeApi.ts"

const count = 2_000

/** A crawl that ended long ago, each page of which weighs so much. */
const endedCrawl = (bytes: number) => {
  const results = Array.from({ length: count }, (_, index) => ({
    url: `https://site.test/${index}`,
    parent_url: null,
    depth: 1,
    status: "completed",
    error_code: null,
    error_message: null,
    links: null,
    data: { markdown: "x".repeat(bytes), html: null }
  }))
  return fakeApi((request) => {
    if (request.method === "POST") return json(acceptedBody, 202)
    const query = new Map(request.urlParams)
    const [page, size] = [Number(query.get("page")), Number(query.get("page_size"))]
    const slice = results.slice((page - 1) * size, page * size)
    const answer = json({ ...crawlBody, total_pages: count, completed_pages: count, results: slice })
    return Effect.as(Effect.sleep("2 millis"), answer)
  })
}

describe("Crawl", () => {
  for (const [concurrency, bytes, inFlightBytes, most] of [
    [3, 10, 32 * 1024 * 1024, 3],
    [8, 1_000, 250_000, 4],
    [8, 10_000, 1_100_000, 4],
    [8, 10_000, 30_000, 2]
  ] as const) {
    it.live(`has at most ${most} slices in flight of pages of ${bytes} bytes`, () =>
      Effect.gen(function* () {
        const api = endedCrawl(bytes)
        const records = Crawl.records(
          { url: "https://site.test/" },
          { concurrency, inFlightBytes, pollMin: "1 millis" }
        )
        const layer = scraperOver(api, { requestsPerSecond: 100_000 })
        const delivered = yield* Effect.provide(Stream.runCount(records), layer)
        assert.strictEqual(delivered, count)
        assert.strictEqual(api.inFlight.most, most)
      })
    )
  }
})
