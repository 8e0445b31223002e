import { createServer } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Scraper } from "@sluice/core"
import { crawlHistory, type Fault, makeSite } from "@sluice/testkit"
import { Effect, Redacted } from "effect"
import { simulated } from "./simulated.ts"

const slice = { page: 1, pageSize: 50 }
const crawl = Effect.gen(function* () {
  const scraper = yield* Scraper
  const { jobId } = yield* scraper.createCrawl({ url: "https://site.test/" })
  return yield* scraper.getCrawl(jobId, slice)
})

describe("Scraper over the wire", () => {
  const passing: Readonly<Record<string, Fault>> = {
    "a 429 that says when, in seconds": { _tag: "Status", status: 429, retryAfter: { as: "seconds", seconds: 0 } },
    "a 429 that says when, as a date": { _tag: "Status", status: 429, retryAfter: { as: "date", seconds: 0 } },
    "an empty 500": { _tag: "Status", status: 500, body: "empty" },
    "an HTML 502": { _tag: "Status", status: 502, body: "html" },
    "a 503": { _tag: "Status", status: 503 },
    "a reset connection": { _tag: "Reset" },
    "a lost answer": { _tag: "Lost" },
    "a body cut short": { _tag: "Truncated" },
    "headers without a body": { _tag: "Stalled" },
    "an answer that is too slow": { _tag: "Slow", millis: 60_000 }
  }
  for (const [what, fault] of Object.entries(passing)) {
    it.live(`reads on after ${what}`, () =>
      Effect.gen(function* () {
        const faults = [{ method: "GET", nth: [1, 2], fault }] as const
        const { layer, simulator } = yield* simulated({ faults }, { attemptTimeout: "1 second" })
        const status = yield* Effect.provide(crawl, layer)
        assert.strictEqual(status.url, "https://site.test/")
        assert.strictEqual(simulator.charges.received("GET"), 3)
        assert.strictEqual(simulator.charges.received("POST"), 1)
      })
    )
  }

  // How often they are asked for: what no waiting mends may come of something in between, and is seen several times.
  const final: Readonly<Record<string, readonly [Fault, string, number]>> = {
    "a 402": [{ _tag: "Status", status: 402 }, "PaymentRequired", 6],
    "an empty 404": [{ _tag: "Status", status: 404, body: "empty" }, "NotFound", 1],
    "a 409": [{ _tag: "Status", status: 409 }, "Conflict", 6],
    "a 422 with fields": [{ _tag: "Status", status: 422, body: "validation" }, "InvalidRequest", 6],
    "a 422 of the search kind": [{ _tag: "Status", status: 422, body: "search" }, "InvalidRequest", 6],
    "a page of HTML": [{ _tag: "Html" }, "Unreadable", 6],
    "wrong types": [{ _tag: "WrongTypes" }, "Unreadable", 6],
    "a Retry-After of an hour": [
      { _tag: "Status", status: 503, retryAfter: { as: "date", seconds: 3600 } },
      "Unavailable",
      1
    ]
  }
  for (const [what, [fault, reason, asked]] of Object.entries(final)) {
    it.live(`gives up on ${what}`, () =>
      Effect.gen(function* () {
        const { layer, simulator } = yield* simulated({ faults: [{ method: "GET", fault }] })
        const error = yield* Effect.flip(Effect.provide(crawl, layer))
        assert.strictEqual(error.reason._tag, reason)
        assert.strictEqual(simulator.charges.received("GET"), asked)
      })
    )
  }

  for (const [what, fault] of Object.entries(passing)) {
    it.live(`asks once for paid work, though answered with ${what}`, () =>
      Effect.gen(function* () {
        const faults = [{ method: "POST", fault }] as const
        const { layer, simulator } = yield* simulated({ faults }, { attemptTimeout: "1 second" })
        yield* Effect.flip(Effect.provide(crawl, layer))
        assert.strictEqual(simulator.charges.received("POST"), 1)
        const tookEffect = ["Lost", "Truncated", "Stalled", "Slow"].includes(fault._tag)
        assert.strictEqual(simulator.charges.jobs.length, tookEffect ? 1 : 0)
      })
    )
  }

  it.live("takes the key to no other host", () =>
    Effect.gen(function* () {
      const visits: Array<unknown> = []
      const elsewhere = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer((request, response) => {
            visits.push(request.headers)
            response.end("{}")
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
      )
      const address = elsewhere.address()
      assert.isTrue(address !== null && typeof address === "object")
      const location = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`
      const { layer, simulator } = yield* simulated({ statusUrlPrefix: location })
      yield* Effect.provide(crawl, layer)
      simulator.faults.add({ fault: { _tag: "Redirect", location } })
      const error = yield* Effect.flip(Effect.provide(crawl, layer))
      assert.strictEqual(error.reason._tag, "Unreadable")
      assert.deepStrictEqual(visits, [])
    })
  )

  it.live("is let in with a bearer token, and with the right key only", () =>
    Effect.gen(function* () {
      const bearer = yield* simulated({}, { auth: "bearer" })
      yield* Effect.provide(crawl, bearer.layer)
      const wrong = yield* simulated({}, { apiKey: Redacted.make("another") })
      const error = yield* Effect.flip(Effect.provide(crawl, wrong.layer))
      assert.strictEqual(error.reason._tag, "Unauthorized")
      assert.deepStrictEqual([wrong.simulator.charges.unauthorized, wrong.simulator.charges.jobs.length], [1, 0])
    })
  )

  it.live("cancels a job, and says so when it has ended", () =>
    Effect.gen(function* () {
      const { layer, simulator } = yield* simulated({
        crawl: () => crawlHistory(makeSite({ pages: 30 }), { perPoll: 10 })
      })
      yield* Effect.gen(function* () {
        const scraper = yield* Scraper
        const { jobId } = yield* scraper.createCrawl({ url: "https://site.test/" })
        yield* scraper.getCrawl(jobId, slice)
        yield* scraper.getCrawl(jobId, slice)
        yield* scraper.cancelCrawl(jobId)
        const after = yield* scraper.getCrawl(jobId, slice)
        assert.deepInclude(after, { status: "cancelled", completed_pages: 10, cancelled_pages: 20 })
        const again = yield* Effect.flip(scraper.cancelCrawl(jobId))
        assert.strictEqual(again.reason._tag, "Conflict")
      }).pipe(Effect.provide(layer))
      assert.strictEqual(simulator.charges.tokens, 10)
    })
  )
})
