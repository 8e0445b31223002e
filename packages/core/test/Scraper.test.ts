import { inspect } from "node:util"
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Fiber, Redacted, Ref } from "effect"
import type { HttpClientRequest } from "effect/http"
import { TestClock } from "effect/testing"
import { CurrentRequestCounter } from "../src/api/RequestCounter.ts"
import { Scraper, type ScraperOptions } from "../src/api/Scraper.ts"
import type { ScraperError } from "../src/api/ScraperError.ts"
import {
  type Answer,
  acceptedBody,
  brokenConnection,
  canary,
  crawlBody,
  fakeApi,
  jobId,
  json,
  scraperOver
} from "./FakeApi.ts"

const slice = { page: 1, pageSize: 50 }
const readCrawl = Effect.flatMap(Scraper, (scraper) => scraper.getCrawl(jobId, slice))
const startCrawl = Effect.flatMap(Scraper, (scraper) => scraper.createCrawl({ url: "https://site.test/" }))

const envelope = (message: string) => ({ code: "CODE", message, correlation_id: "c", retryable: false })
const validation = { detail: [{ type: "missing", loc: ["body", "urls", 3, "x"], msg: "Field required", input: {} }] }

/** The reason a read ends with when every attempt is answered the same. No retries, unless asked for. */
const reasonFor = (
  answer: (request: HttpClientRequest.HttpClientRequest) => Answer,
  options: Partial<ScraperOptions> = { retries: 0 }
) => Effect.flip(readCrawl).pipe(Effect.provide(scraperOver(fakeApi(answer), options)))

/** Lets time pass second by second, so that what takes a turn of the event loop gets it. */
const pass = (seconds: number) => Effect.repeat(TestClock.adjust("1 second"), { times: seconds - 1 })

/** Everything a log could show of an error. */
const traces = (error: ScraperError): string =>
  [
    error.message,
    String(error),
    JSON.stringify(error),
    error.stack,
    inspect(error, { depth: 12, showHidden: true }),
    Cause.pretty(Cause.fail(error)),
    JSON.stringify(Cause.fail(error))
  ].join("\n")

describe("Scraper", () => {
  describe("requests", () => {
    it.effect("carry the key as X-Api-Key", () =>
      Effect.gen(function* () {
        const api = fakeApi(() => json(crawlBody))
        yield* readCrawl.pipe(Effect.provide(scraperOver(api)))
        const { authorization, "x-api-key": key } = api.sent[0]!.headers
        assert.deepStrictEqual([key, authorization], [canary, undefined])
      })
    )

    it.effect("carry the key as a bearer token where asked", () =>
      Effect.gen(function* () {
        const api = fakeApi(() => json(crawlBody))
        yield* readCrawl.pipe(Effect.provide(scraperOver(api, { auth: "bearer" })))
        const { authorization, "x-api-key": key } = api.sent[0]!.headers
        assert.deepStrictEqual([key, authorization], [undefined, `Bearer ${canary}`])
      })
    )

    for (const baseUrl of ["https://proxy.test/scraper/v2", "https://proxy.test/scraper/v2/"]) {
      it.effect(`go below the path of ${baseUrl}`, () =>
        Effect.gen(function* () {
          const api = fakeApi(() => json(crawlBody))
          yield* readCrawl.pipe(Effect.provide(scraperOver(api, { baseUrl })))
          const expected = `https://proxy.test/scraper/v2/v1/crawl/${jobId}?page=1&page_size=50`
          assert.strictEqual(api.sent[0]!.url, expected)
        })
      )
    }

    for (const status_url of ["/v1/crawl/1", "https://api.test/v1/crawl/1", "https://elsewhere.test/steal"]) {
      it.effect(`stay at the base URL whatever status_url says: ${status_url}`, () =>
        Effect.gen(function* () {
          const api = fakeApi((request) =>
            request.method === "POST" ? json({ ...acceptedBody, status_url }, 202) : json(crawlBody)
          )
          yield* Effect.andThen(startCrawl, readCrawl).pipe(Effect.provide(scraperOver(api)))
          assert.deepStrictEqual(
            api.sent.map(({ url }) => new URL(url).origin),
            ["https://api.test", "https://api.test"]
          )
        })
      )
    }
  })

  describe("base URL", () => {
    const refused = {
      "no URL": "api.test",
      "another scheme": "ftp://api.test",
      credentials: `https://user:${canary}@api.test`,
      "a query": `https://api.test/?key=${canary}`,
      "a fragment": `https://api.test/#${canary}`,
      nothing: ""
    }
    for (const [what, baseUrl] of Object.entries(refused)) {
      it.effect(`refuses ${what} before any request, quoting nothing`, () =>
        Effect.gen(function* () {
          const api = fakeApi(() => json(crawlBody))
          const error = yield* Effect.flip(Effect.provide(readCrawl, scraperOver(api, { baseUrl })))
          assert.strictEqual(error.reason._tag, "InvalidRequest")
          assert.include(error.message, "SCRAPER_API_BASE_URL")
          assert.notInclude(traces(error), canary)
          assert.strictEqual(api.sent.length, 0)
        })
      )
    }
  })

  describe("reasons", () => {
    const byStatus: ReadonlyArray<readonly [number, string]> = [
      [400, "InvalidRequest"],
      [401, "Unauthorized"],
      [402, "PaymentRequired"],
      [403, "Unauthorized"],
      [404, "NotFound"],
      [408, "Unavailable"],
      [409, "Conflict"],
      [413, "InvalidRequest"],
      [422, "InvalidRequest"],
      [429, "RateLimited"],
      [500, "Unavailable"],
      [501, "InvalidRequest"],
      [502, "Unavailable"],
      [503, "Unavailable"],
      [504, "Unavailable"],
      [302, "Unreadable"]
    ]
    const bodies = {
      envelope: (status: number) => json(envelope("Said so"), status),
      search: (status: number) => json({ error: "e", message: "Said so", details: null }, status),
      fields: (status: number) => json(validation, status),
      empty: (status: number) => new Response(null, { status }),
      "cut short": (status: number) => new Response('{"code": "CODE", "mess', { status }),
      "another shape": (status: number) => json(["what?"], status)
    }
    for (const [name, body] of Object.entries(bodies)) {
      it.effect(`follow from the status, the body being: ${name}`, () =>
        Effect.forEach(byStatus, ([status, tag]) =>
          Effect.map(
            reasonFor(() => body(status)),
            ({ reason }) => assert.strictEqual(reason._tag, tag, `${status}`)
          )
        )
      )
    }

    it.effect("tell the server's message, from either shape that has one", () =>
      Effect.gen(function* () {
        for (const body of [bodies.envelope, bodies.search]) {
          for (const status of [400, 402, 404, 409, 503]) {
            assert.include((yield* reasonFor(() => body(status))).message, "Said so", `${status}`)
          }
        }
      })
    )

    it.effect("tell the fields the server names, without `body` in front", () =>
      Effect.gen(function* () {
        const error = yield* reasonFor(() => json(validation, 422))
        assert.deepStrictEqual(error.reason._tag === "InvalidRequest" && error.reason.fields, [
          { path: "urls.3.x", message: "Field required" }
        ])
        assert.include(error.message, "urls.3.x: Field required")
      })
    )

    it.effect("cut long messages", () =>
      Effect.gen(function* () {
        const error = yield* reasonFor(() => json(envelope("x".repeat(5_000)), 400))
        assert.isBelow(error.message.length, 500)
      })
    )

    it.effect("name a base URL that answers HTML", () =>
      Effect.gen(function* () {
        for (const status of [200, 404]) {
          const html = () => new Response("<html>", { status, headers: { "content-type": "text/html; charset=utf-8" } })
          const error = yield* reasonFor(html)
          assert.strictEqual(error.reason._tag, "Unreadable")
          assert.include(error.message, "HTML")
          assert.isFalse(error.isRetryable)
        }
      })
    )

    it.effect("name the member that does not fit the contract, not its value", () =>
      Effect.gen(function* () {
        const error = yield* reasonFor(() => json({ ...crawlBody, results: "secret-value" }))
        assert.strictEqual(error.reason._tag, "Unreadable")
        assert.include(error.message, "results")
        assert.notInclude(traces(error), "secret-value")
        assert.isFalse(error.isRetryable)
      })
    )

    it.effect("name the code of a network failure", () =>
      Effect.gen(function* () {
        const error = yield* reasonFor(brokenConnection)
        assert.deepInclude(error.reason, { _tag: "Unavailable", status: null, detail: "ECONNRESET" })
      })
    )

    it.effect("say which are worth asking again", () =>
      Effect.gen(function* () {
        for (const status of [408, 429, 500, 502, 503, 504]) {
          assert.isTrue((yield* reasonFor(() => new Response(null, { status }))).isRetryable, `${status}`)
        }
        for (const status of [400, 401, 402, 403, 404, 409, 422, 501]) {
          assert.isFalse((yield* reasonFor(() => new Response(null, { status }))).isRetryable, `${status}`)
        }
        assert.isTrue((yield* reasonFor(brokenConnection)).isRetryable)
        assert.isTrue((yield* reasonFor(() => new Response('{"job_id": "'))).isRetryable)
      })
    )
  })

  describe("answers in a content encoding nobody asked for", () => {
    const pack: Readonly<Record<string, (text: string) => Uint8Array>> = {
      gzip: gzipSync,
      "x-gzip": gzipSync,
      deflate: deflateSync,
      br: brotliCompressSync,
      zstd: zstdCompressSync,
      "br, gzip": (text) => gzipSync(brotliCompressSync(text)),
      "a client has undone": (text) => Buffer.from(text),
      identity: (text) => Buffer.from(text)
    }
    const encoded = (body: unknown, encoding: string, status = 200) =>
      new Response(Buffer.from(pack[encoding]!(JSON.stringify(body))), {
        status,
        headers: {
          "content-type": "application/json",
          "content-encoding": encoding === "a client has undone" ? "gzip" : encoding
        }
      })
    for (const encoding of Object.keys(pack)) {
      it.effect(`${encoding}: results, errors and submissions are read`, () =>
        Effect.gen(function* () {
          for (const text of ["", "x".repeat(100_000), "{[<"]) {
            const api = fakeApi(() => encoded({ ...crawlBody, results: [{ text }] }, encoding))
            const answer = yield* readCrawl.pipe(Effect.provide(scraperOver(api)))
            assert.deepStrictEqual(answer.results, [{ text }])
          }
          const refused = yield* reasonFor(() => encoded(envelope("Said so"), encoding, 402))
          assert.include(refused.message, "Said so")
          const accepting = fakeApi(() => encoded(acceptedBody, encoding, 202))
          const { jobId: made } = yield* startCrawl.pipe(Effect.provide(scraperOver(accepting)))
          assert.strictEqual(made, jobId)
        })
      )
    }

    it.effect("are an answer that cannot be read where they are none", () =>
      Effect.gen(function* () {
        for (const encoding of ["gzip", "br", "zstd", "compress"]) {
          const broken = () =>
            new Response(Buffer.from([0x1f, 0x8b, 1, 2, 3]), { headers: { "content-encoding": encoding } })
          const { isRetryable, message, reason } = yield* reasonFor(broken)
          assert.strictEqual(reason._tag, "Unreadable")
          assert.include(message, `its content encoding (${encoding}) cannot be undone`)
          assert.isTrue(isRetryable)
        }
      })
    )
  })

  describe("the key", () => {
    const quoting = {
      "an envelope": (status: number) => json(envelope(`the key ${canary} is wrong`), status),
      "an envelope at its cut": (status: number) => json(envelope(`${"x".repeat(290)}${canary}`), status),
      "a search error": (status: number) => json({ error: canary, message: canary }, status),
      fields: (status: number) => json({ detail: [{ type: "t", loc: ["header", canary], msg: canary }] }, status),
      text: (status: number) => new Response(canary, { status }),
      HTML: (status: number) => new Response(canary, { status, headers: { "content-type": "text/html" } })
    }
    for (const [what, body] of Object.entries(quoting)) {
      it.effect(`appears in no error, though the server quotes it in ${what}`, () =>
        Effect.gen(function* () {
          for (const status of [200, 400, 401, 402, 404, 409, 422, 429, 500]) {
            const error = yield* reasonFor(() => body(status))
            assert.notInclude(traces(error), canary)
            assert.notInclude(traces(error), canary.slice(0, 10))
          }
        })
      )
    }

    it.effect("appears in no error, in whatever escaped form, nor do headers sent on to pages", () =>
      Effect.gen(function* () {
        const key = 'key/with "quotes" & ümlauts'
        const cookie = "session=canary-cookie-1"
        const forms = [
          key,
          JSON.stringify(key),
          encodeURIComponent(key),
          Buffer.from(`me:${key}`).toString("base64"),
          cookie,
          encodeURIComponent(cookie)
        ]
        const api = fakeApi(() => json(envelope(forms.join(" ")), 422))
        const error = yield* Scraper.use((scraper) =>
          scraper.createExtraction({ url: "https://site.test/", headers: { Cookie: cookie } })
        ).pipe(Effect.flip, Effect.provide(scraperOver(api, { retries: 0, apiKey: Redacted.make(key) })))
        for (const form of forms) assert.notInclude(traces(error), form)
        assert.include(error.message, "<redacted>")
      })
    )

    it.effect("may be a word of an answer, which is read all the same", () =>
      Effect.gen(function* () {
        for (const word of ["message", "code", "Said so", "true", "422", '"']) {
          const answer = () => json(envelope("Said so"), 422)
          const error = yield* reasonFor(answer, { retries: 0, apiKey: Redacted.make(word) })
          const detail = word === "Said so" ? "<redacted>" : "Said so"
          assert.isTrue(error.reason._tag === "InvalidRequest" && error.reason.detail === detail, word)
        }
      })
    )

    it.effect("appears in no error of the network, of a time-out, of a wrong shape", () =>
      Effect.gen(function* () {
        for (const auth of ["x-api-key", "bearer"] as const) {
          const failures = [
            yield* reasonFor(brokenConnection, { auth, retries: 0 }),
            yield* reasonFor(() => json({ ...crawlBody, results: { [canary]: canary } }), { auth, retries: 0 }),
            yield* reasonFor(() => json({ ...crawlBody, results: canary }), { auth, retries: 0 })
          ]
          const late = yield* Effect.forkChild(reasonFor(() => Effect.never, { auth, retries: 0 }))
          yield* TestClock.adjust("2 minutes")
          for (const error of [...failures, yield* Fiber.join(late)]) assert.notInclude(traces(error), canary)
        }
      })
    )
  })

  describe("retries of reads", () => {
    const eventually = (first: (nth: number) => Response, failures = 1) =>
      fakeApi((_, nth) => (nth <= failures ? first(nth) : json(crawlBody)))

    it.effect("wait as long as Retry-After asks, in seconds", () =>
      Effect.gen(function* () {
        const api = eventually(() => json(envelope("slow down"), 429, { "retry-after": "7" }))
        const fiber = yield* Effect.forkChild(Effect.provide(readCrawl, scraperOver(api)))
        yield* TestClock.adjust("6900 millis")
        assert.strictEqual(api.sent.length, 1)
        yield* TestClock.adjust("200 millis")
        yield* Fiber.join(fiber)
        assert.strictEqual(api.sent.length, 2)
      })
    )

    it.effect("wait as long as Retry-After asks, as a date", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2026, 0, 1))
        const at = new Date(Date.UTC(2026, 0, 1, 0, 0, 9)).toUTCString()
        const api = eventually(() => new Response(null, { status: 503, headers: { "retry-after": at } }))
        const fiber = yield* Effect.forkChild(Effect.provide(readCrawl, scraperOver(api)))
        yield* TestClock.adjust("8900 millis")
        assert.strictEqual(api.sent.length, 1)
        yield* TestClock.adjust("200 millis")
        yield* Fiber.join(fiber)
        assert.strictEqual(api.sent.length, 2)
      })
    )

    it.effect("back off by themselves where Retry-After is absent, senseless or over", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2026, 0, 1))
        const past = new Date(Date.UTC(2025, 0, 1)).toUTCString()
        for (const headers of [{}, { "retry-after": "soon" }, { "retry-after": past }]) {
          const api = eventually(() => new Response(null, { status: 429, headers }))
          const fiber = yield* Effect.forkChild(Effect.provide(readCrawl, scraperOver(api, { retryBase: "1 second" })))
          yield* TestClock.adjust("400 millis")
          assert.strictEqual(api.sent.length, 1)
          yield* TestClock.adjust("700 millis")
          yield* Fiber.join(fiber)
          assert.strictEqual(api.sent.length, 2)
        }
      })
    )

    it.effect("fail at once when Retry-After goes beyond what an outage may last, and say how long it was", () =>
      Effect.gen(function* () {
        const api = eventually(() => new Response(null, { status: 429, headers: { "retry-after": "61" } }))
        const error = yield* Effect.flip(Effect.provide(readCrawl, scraperOver(api, { giveUpAfter: "60 seconds" })))
        assert.deepInclude(error.reason, { _tag: "RateLimited", retryAfterMs: 61_000 })
        assert.include(error.message, "it asks to wait 61 seconds")
        assert.strictEqual(api.sent.length, 1)
      })
    )

    it.effect("are bounded, and counted apart from the reads", () =>
      Effect.gen(function* () {
        const counter = { submitted: 0, reads: 0, retries: 0 }
        const api = fakeApi(() => new Response(null, { status: 500 }))
        const fiber = yield* Effect.flip(readCrawl).pipe(
          Effect.provide(scraperOver(api, { retries: 3 })),
          Effect.provideService(CurrentRequestCounter, counter),
          Effect.forkChild
        )
        yield* pass(30)
        assert.deepInclude((yield* Fiber.join(fiber)).reason, { _tag: "Unavailable", status: 500 })
        assert.strictEqual(api.sent.length, 4)
        assert.deepStrictEqual(counter, { submitted: 0, reads: 1, retries: 3 })
      })
    )

    it.effect("never pause longer than the cap", () =>
      Effect.gen(function* () {
        const api = fakeApi(() => new Response(null, { status: 500 }))
        const options = { retries: 10, retryBase: "1 second", retryCap: "4 seconds" } as const
        const fiber = yield* Effect.forkChild(Effect.flip(readCrawl).pipe(Effect.provide(scraperOver(api, options))))
        yield* pass(120)
        yield* Fiber.join(fiber)
        assert.strictEqual(api.sent.length, 11)
      })
    )

    it.effect("happen after a broken connection and after a body cut short", () =>
      Effect.gen(function* () {
        const api = fakeApi((request, nth) => {
          if (nth === 1) return brokenConnection(request)
          return nth === 2 ? new Response('{"job_id": "0b6f') : json(crawlBody)
        })
        const fiber = yield* Effect.forkChild(Effect.provide(readCrawl, scraperOver(api)))
        yield* pass(30)
        assert.strictEqual((yield* Fiber.join(fiber)).status, "completed")
        assert.strictEqual(api.sent.length, 3)
      })
    )

    it.effect("do not happen for a job that is not known: its reader asks again", () =>
      Effect.gen(function* () {
        const api = fakeApi(() => new Response(null, { status: 404 }))
        yield* Effect.flip(Effect.provide(readCrawl, scraperOver(api)))
        assert.strictEqual(api.sent.length, 1)
      })
    )

    it.effect("follow an attempt that took too long, its body included", () =>
      Effect.gen(function* () {
        const stalled = () => new Response(new ReadableStream({ start: (it) => it.enqueue(new Uint8Array([123])) }))
        const api = fakeApi((_, nth) => (nth === 1 ? stalled() : json(crawlBody)))
        const fiber = yield* Effect.forkChild(
          Effect.provide(readCrawl, scraperOver(api, { attemptTimeout: "5 seconds" }))
        )
        yield* TestClock.adjust("4900 millis")
        assert.strictEqual(api.sent.length, 1)
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(fiber)
        assert.strictEqual(api.sent.length, 2)
      })
    )
  })

  describe("what may cost tokens", () => {
    const calls: Readonly<Record<string, Effect.Effect<unknown, ScraperError, Scraper>>> = {
      "starting a crawl": startCrawl,
      "starting a batch": Effect.flatMap(Scraper, (scraper) => scraper.createBatch({ urls: ["https://site.test/"] })),
      "starting an extraction": Effect.flatMap(Scraper, (scraper) =>
        scraper.createExtraction({ url: "https://site.test/" })
      ),
      "extracting at once": Effect.flatMap(Scraper, (scraper) => scraper.extractNow({ url: "https://site.test/" })),
      "a map": Effect.flatMap(Scraper, (scraper) => scraper.map({ url: "https://site.test/" }))
    }
    const troubles = {
      "a 500": () => new Response(null, { status: 500 }),
      "a 429 that says when": () => new Response(null, { status: 429, headers: { "retry-after": "1" } }),
      "a 503": () => new Response(null, { status: 503 }),
      "a broken connection": brokenConnection,
      "a body cut short": () => new Response('{"job_id"', { status: 202 }),
      silence: () => Effect.never
    }
    for (const [what, call] of Object.entries(calls)) {
      it.effect(`is sent once: ${what}`, () =>
        Effect.gen(function* () {
          for (const [trouble, answer] of Object.entries(troubles)) {
            const counter = { submitted: 0, reads: 0, retries: 0 }
            const api = fakeApi(answer)
            const fiber = yield* Effect.flip(call).pipe(
              Effect.provide(scraperOver(api)),
              Effect.provideService(CurrentRequestCounter, counter),
              Effect.forkChild
            )
            yield* TestClock.adjust("10 minutes")
            yield* Fiber.join(fiber)
            assert.deepStrictEqual(
              api.sent.map(({ method }) => method),
              ["POST"],
              trouble
            )
            assert.deepStrictEqual(counter, { submitted: 1, reads: 0, retries: 0 }, trouble)
          }
        })
      )
    }

    it.effect("is not sent again on the way of a redirect", () =>
      Effect.gen(function* () {
        const api = fakeApi(() => new Response(null, { status: 307, headers: { location: "https://elsewhere.test/" } }))
        const error = yield* Effect.flip(Effect.provide(startCrawl, scraperOver(api)))
        assert.strictEqual(error.reason._tag, "Unreadable")
        assert.strictEqual(api.sent.length, 1)
      })
    )

    it.effect("an extraction is the page or the job the API made of it, whichever was asked for", () =>
      Effect.gen(function* () {
        const asked = { url: "https://site.test/" }
        const body = { data: { markdown: "", html: null }, metadata: { url: asked.url, http_status: 200 } }
        const answers = [
          [{ ...acceptedBody, estimated_tokens: 1 }, { jobId }],
          [{ job_id: jobId }, { jobId }],
          [{ status_url: `https://api.test/v1/extract/${jobId}/` }, { jobId }],
          [{ ...body, tokens_charged: 1 }, { ended: ["completed", 1] }],
          [{ ...body, tokens_charged: "2" }, { ended: ["completed", 2] }],
          [{ data: null, tokens_charged: 0 }, { ended: ["completed", 0] }],
          [{ error: { code: "DNS_FAILED" } }, { ended: ["failed", 0] }],
          [
            { ...body, job_id: jobId, status: "done" },
            { jobId, ended: ["completed", 1] }
          ],
          [{ job_id: jobId, status: "queued", data: null, metadata: {} }, { jobId }]
        ] as const
        for (const [answer, expected] of answers) {
          for (const ask of ["extractNow", "createExtraction"] as const) {
            const { ended, ...rest } = yield* Effect.flatMap(Scraper, (scraper) => scraper[ask](asked)).pipe(
              Effect.provide(scraperOver(fakeApi(() => json(answer))))
            )
            const told = ended === undefined ? rest : { ...rest, ended: [ended.status, ended.tokensCharged] }
            assert.deepStrictEqual<unknown>(told, expected)
          }
        }
        for (const answer of [{}, [], null, "job", { status: "queued" }, { status_url: "/v1/extract/" }]) {
          const error = yield* Effect.flatMap(Scraper, (scraper) => scraper.createExtraction(asked)).pipe(
            Effect.provide(scraperOver(fakeApi(() => json(answer)))),
            Effect.flip
          )
          assert.deepInclude([error.reason._tag, error.tookNoEffect], "Unreadable")
          assert.isFalse(error.tookNoEffect)
        }
      })
    )
  })

  describe("limits", () => {
    const many = (count: number) =>
      Effect.gen(function* () {
        const scraper = yield* Scraper
        // two users of one client
        const half = Effect.forEach(Array.from({ length: count / 2 }), () => scraper.getCrawl(jobId, slice), {
          concurrency: "unbounded",
          discard: true
        })
        yield* Effect.all([half, half], { concurrency: 2, discard: true })
      })

    it.effect("keeps to so many requests at once, over all users", () =>
      Effect.gen(function* () {
        const api = fakeApi(() => Effect.as(Effect.sleep("1 second"), json(crawlBody)))
        const options = { concurrency: 3, requestsPerSecond: 1000 }
        const fiber = yield* Effect.forkChild(Effect.provide(many(12), scraperOver(api, options)))
        yield* pass(20)
        yield* Fiber.join(fiber)
        assert.deepStrictEqual([api.inFlight.most, api.sent.length], [3, 12])
      })
    )

    it.effect("keeps to so many requests a second, over all users", () =>
      Effect.gen(function* () {
        const sentBySecond = yield* Ref.make<ReadonlyArray<number>>([])
        const api = fakeApi(() => json(crawlBody))
        const options = { concurrency: 64, requestsPerSecond: 5 }
        const fiber = yield* Effect.forkChild(Effect.provide(many(20), scraperOver(api, options)))
        for (let second = 0; second < 5; second++) {
          yield* TestClock.adjust(second === 0 ? "1 millis" : "1 second")
          yield* Ref.update(sentBySecond, (counts) => [...counts, api.sent.length])
        }
        yield* Fiber.join(fiber)
        const counts = yield* Ref.get(sentBySecond)
        counts.forEach((count, second) => {
          assert.isAtMost(count, 5 * (second + 1))
        })
        assert.strictEqual(counts.at(-1), 20)
      })
    )

    it.effect("does not count waiting for a turn against an attempt", () =>
      Effect.gen(function* () {
        const api = fakeApi(() => Effect.as(Effect.sleep("4 seconds"), json(crawlBody)))
        const options = { concurrency: 1, attemptTimeout: "5 seconds", retries: 0 } as const
        const fiber = yield* Effect.forkChild(Effect.provide(many(6), scraperOver(api, options)))
        yield* pass(60)
        yield* Fiber.join(fiber)
        assert.strictEqual(api.sent.length, 6)
      })
    )
  })
})
