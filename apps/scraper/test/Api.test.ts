import { assert, describe, it } from "@effect/vitest"
import { ErrorResponse, HTTPValidationError } from "@sluice/contract"
import { Effect, Fiber, Layer, Redacted, Schema } from "effect"
import { serve } from "../src/index.ts"
import { clientOf, keys, raw, testServer, until } from "./TestScraper.ts"
import { gate, page, testSite } from "./TestSite.ts"

const key = { "x-api-key": keys[0], "content-type": "application/json" }
const post = (url: string, body: string, headers: Record<string, string> = key) =>
  raw(url, { method: "POST", headers, body })
const isEnvelope = Schema.is(ErrorResponse)
const isDetail = Schema.is(HTTPValidationError)
const id = "9d7b2c8e-8a4b-4c10-9af3-65f4f8f6c019"

/** Asserts an envelope with a correlation id. */
const envelope = (answer: { readonly status: number; readonly body: unknown }, status: number, code: string) => {
  assert.strictEqual(answer.status, status)
  assert.isTrue(isEnvelope(answer.body))
  assert.deepInclude(answer.body, { code })
  assert.match(String(Object(answer.body).correlation_id), /^[0-9a-f-]{36}$/)
}

/** Asserts a validation body about one place. */
const detail = (
  answer: { readonly status: number; readonly body: unknown },
  type: string,
  loc: ReadonlyArray<string>
) => {
  assert.strictEqual(answer.status, 422)
  if (!isDetail(answer.body)) return assert.fail(`not a detail body: ${JSON.stringify(answer.body)}`)
  assert.deepInclude(answer.body.detail[0], { type, loc })
}

describe("the API", () => {
  it.live("tells its health to anyone", () =>
    Effect.gen(function* () {
      const answer = yield* raw(`${yield* testServer()}/health`)
      assert.strictEqual(answer.status, 200)
      assert.deepInclude(answer.body, { service: "scraper-api", status: "ok", version: "0.1.0" })
    })
  )

  it.live("wants a key for everything else", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer()
      envelope(yield* raw(`${baseUrl}/v1/crawl/jobs`), 401, "UNAUTHORIZED")
      envelope(yield* raw(`${baseUrl}/v1/crawl/jobs`, { headers: { "x-api-key": "wrong" } }), 401, "UNAUTHORIZED")
      // The key is judged before the request is.
      envelope(yield* post(`${baseUrl}/v1/crawl`, "{", { "content-type": "application/json" }), 401, "UNAUTHORIZED")
      assert.strictEqual((yield* raw(`${baseUrl}/v1/crawl/jobs`, { headers: { "X-API-KEY": keys[1] } })).status, 200)
    })
  )

  it.live("does not know other jobs and routes", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer()
      envelope(yield* raw(`${baseUrl}/v1/crawl/${id}`, { headers: key }), 404, "NOT_FOUND")
      envelope(yield* raw(`${baseUrl}/v1/crawl/${id}`, { method: "DELETE", headers: key }), 404, "NOT_FOUND")
      envelope(yield* raw(`${baseUrl}/v1/extract/${id}`, { headers: key }), 404, "NOT_FOUND")
      envelope(yield* raw(`${baseUrl}/v1/extract/anything`, { headers: key }), 404, "NOT_FOUND")
      envelope(yield* raw(`${baseUrl}/v2/nothing`, { headers: key }), 404, "NOT_FOUND")
      envelope(yield* raw(baseUrl), 404, "NOT_FOUND")
    })
  )

  it.live("names the field that is wrong", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer()
      const crawl = `${baseUrl}/v1/crawl`
      detail(yield* post(crawl, "{}"), "missing", ["body", "url"])
      detail(yield* post(crawl, '{"url":1}'), "value_error", ["body", "url"])
      detail(yield* post(crawl, '{"url":"http://a.example/","depth":11}'), "value_error", ["body", "depth"])
      detail(yield* post(crawl, '{"url":"http://a.example/","limit":10001}'), "value_error", ["body", "limit"])
      detail(yield* post(crawl, "{not json"), "json_invalid", ["body"])
      detail(yield* post(crawl, ""), "value_error", ["body"])
      detail(yield* raw(`${crawl}/not-a-uuid`, { headers: key }), "value_error", ["path", "job_id"])
      detail(yield* raw(`${crawl}/not-a-uuid`, { method: "DELETE", headers: key }), "value_error", ["path", "job_id"])
      detail(yield* raw(`${crawl}/${id}?page_size=51`, { headers: key }), "value_error", ["query", "page_size"])
      detail(yield* raw(`${crawl}/${id}?page=0`, { headers: key }), "value_error", ["query", "page"])
      detail(yield* raw(`${crawl}/jobs?status=lost`, { headers: key }), "value_error", ["query", "status"])
      detail(yield* raw(`${crawl}/jobs?start_date=now`, { headers: key }), "value_error", ["query", "start_date"])
      detail(yield* raw(`${baseUrl}/v1/extract/jobs?page_size=101`, { headers: key }), "value_error", [
        "query",
        "page_size"
      ])
    })
  )

  it.live("refuses a plan's limit, a large body and another media type with the envelope", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer({ maxCrawlDepth: 2, maxRequestBytes: 1000 })
      const deep = yield* post(`${baseUrl}/v1/crawl`, '{"url":"http://a.example/","depth":3}')
      envelope(deep, 422, "VALIDATION_ERROR")
      assert.deepInclude(deep.body, { message: "Crawl depth limit exceeded: requested 3, plan allows at most 2" })
      const large = JSON.stringify({ url: `http://a.example/${"x".repeat(2000)}` })
      envelope(yield* post(`${baseUrl}/v1/crawl`, large), 413, "PAYLOAD_TOO_LARGE")
      const text = yield* post(`${baseUrl}/v1/crawl`, "url", { ...key, "content-type": "text/plain" })
      envelope(text, 415, "UNSUPPORTED_MEDIA_TYPE")
    })
  )

  it.live("says what it does not offer", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer()
      envelope(yield* post(`${baseUrl}/v1/search`, '{"query":"a"}'), 501, "NOT_IMPLEMENTED")
      envelope(yield* raw(`${baseUrl}/v1/search/jobs`, { headers: key }), 501, "NOT_IMPLEMENTED")
      envelope(yield* raw(`${baseUrl}/v1/search/${id}`, { headers: key }), 501, "NOT_IMPLEMENTED")
    })
  )

  it.live("throttles a key that asks too often, and no other", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer({ requestsPerMinute: 2 })
      const list = (apiKey: string) => raw(`${baseUrl}/v1/crawl/jobs`, { headers: { "x-api-key": apiKey } })
      yield* list(keys[0])
      yield* list(keys[0])
      const refused = yield* list(keys[0])
      envelope(refused, 429, "RATE_LIMITED")
      assert.deepInclude(refused.body, { retryable: true })
      assert.isAbove(Number(refused.headers.get("retry-after")), 0)
      assert.strictEqual((yield* list(keys[1])).status, 200)
    })
  )

  it.live("bounds the jobs a key has open", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow"))
      const site = yield* testSite({ "/": slow.route })
      const baseUrl = yield* testServer({ maxOpenJobsPerKey: 2 })
      const client = yield* clientOf(baseUrl)
      const sync = yield* Effect.forkChild(client.extract.createExtraction({ payload: { url: site.url("/") } }))
      yield* until(
        Effect.sync(() => site.hits("/")),
        (hits) => hits === 1
      )
      const { job_id } = yield* client.crawl.createCrawl({ payload: { url: site.url("/") } })
      const body = JSON.stringify({ url: site.url("/") })
      const refused = yield* post(`${baseUrl}/v1/crawl`, body)
      envelope(refused, 429, "RATE_LIMITED")
      assert.strictEqual(refused.headers.get("retry-after"), "5")
      envelope(yield* post(`${baseUrl}/v1/extract`, body), 429, "RATE_LIMITED")
      slow.open()
      yield* Fiber.join(sync)
      yield* client.crawl.createCrawl({ payload: { url: site.url("/") } })
      assert.strictEqual((yield* client.crawl.getCrawl({ params: { job_id }, query: {} })).job_id, job_id)
    })
  )

  it.live("is one of its own however many are started in one layer", () =>
    Effect.gen(function* () {
      const urls: Array<string> = []
      const both = Effect.forEach(["one", "two"], (name) => serve({ apiKeys: [Redacted.make(name)] }))
      yield* Layer.build(
        Layer.effectDiscard(Effect.map(both, (servers) => urls.push(...servers.map(({ baseUrl }) => baseUrl))))
      )
      const status = (url: string | undefined, name: string) =>
        Effect.map(raw(`${url}/v1/crawl/jobs`, { headers: { "x-api-key": name } }), (answer) => answer.status)
      assert.strictEqual(yield* status(urls[0], "one"), 200)
      assert.strictEqual(yield* status(urls[0], "two"), 401)
      assert.strictEqual(yield* status(urls[1], "two"), 200)
    })
  )

  it.live("does not start without a key, or on a port that is taken", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(serve({ apiKeys: [] })))._tag, "ScraperStartError")
      assert.strictEqual((yield* Effect.flip(serve({ apiKeys: [Redacted.make("")] })))._tag, "ScraperStartError")
      const port = Number(new URL(yield* testServer()).port)
      assert.strictEqual((yield* Effect.flip(serve({ apiKeys: [Redacted.make("k")], port })))._tag, "ScraperStartError")
    })
  )
})
