import { assert, describe, it } from "@effect/vitest"
import { Scraper } from "@sluice/core"
import { Clock, Effect, Fiber, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import type { ScraperOptions } from "../src/api/Scraper.ts"
import { type Answer, brokenConnection, crawlBody, fakeApi, jobId, json, scraperOver } from "./FakeApi.ts"

type Ask = Parameters<typeof fakeApi>[0]
const readCrawl = Effect.flatMap(Scraper, (scraper) => scraper.getCrawl(jobId, { page: 1, pageSize: 50 }))
const listJobs = Effect.flatMap(Scraper, (scraper) => scraper.listJobs("crawl", { since: 0, page: 1 }))
const startCrawl = Effect.flatMap(Scraper, (scraper) => scraper.createCrawl({ url: "https://site.test/" }))

const status = (code: number, headers: Record<string, string> = {}) => new Response(null, { status: code, headers })
const html = () => new Response("<html>", { headers: { "content-type": "text/html" } })
const redirect = () => status(307, { location: "https://login.test/" })
const otherShape = () => json({ ...crawlBody, results: {} })
const otherJob = () => json({ ...crawlBody, job_id: "another" })

/** Makes a call while virtual time passes; answers how it ended, after how long, how often it was asked, and what was said. */
const during = Effect.fnUntraced(function* (
  answer: (nth: number, second: number) => Answer,
  options: Partial<ScraperOptions> = {},
  call: Effect.Effect<unknown, unknown, Scraper> = readCrawl
) {
  const clock = yield* Clock.Clock
  const startedAt = clock.currentTimeMillisUnsafe()
  const passed = () => clock.currentTimeMillisUnsafe() - startedAt
  const said: Array<string> = []
  const logger = Logger.make(({ message }) => void said.push(String(message)))
  const ask: Ask = (_, nth) => answer(nth, passed() / 1000)
  const api = fakeApi(ask)
  const fiber = yield* Effect.result(call).pipe(
    Effect.map((result) => ({ result, seconds: passed() / 1000 })),
    Effect.provide(Layer.merge(scraperOver(api, options), Logger.layer([logger]))),
    Effect.forkChild
  )
  while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
  return { ...(yield* Fiber.join(fiber)), asked: api.sent.length, said }
})

describe("an outage of the API", () => {
  const passing: ReadonlyArray<readonly [string, () => Answer, number]> = [
    ["6 s without a server", () => brokenConnection(undefined as never), 6],
    ["40 s of 503", () => status(503), 40],
    ["two minutes of 429", () => status(429), 120],
    ["50 minutes of 502", () => status(502), 3000],
    ["half an hour of bodies cut short", () => new Response('{"job_id": "0b6f'), 1800],
    ["half a minute of 401", () => status(401), 30],
    ["half a minute of HTML", html, 30],
    ["half a minute of redirects", redirect, 30],
    ["half a minute of another shape", otherShape, 30],
    ["half a minute of another job's answers", otherJob, 30],
    ["a minute and a half of one thing after the other", () => status(503), 90]
  ]
  for (const [what, answer, seconds] of passing) {
    it.effect(`is waited out: ${what}`, () =>
      Effect.gen(function* () {
        const { result, said } = yield* during((_, at) => (at < seconds ? answer() : json(crawlBody)))
        assert.strictEqual(result._tag, "Success")
        // The first line comes after a second, then one a minute.
        assert.isAtLeast(said.length, 1)
        assert.isAtMost(said.length, 1 + seconds / 60)
      })
    )
  }

  it.effect("is asked in growing pauses, and given up after as long as was said", () =>
    Effect.gen(function* () {
      const { asked, result, said, seconds } = yield* during(() => status(503))
      assert.strictEqual(result._tag, "Failure")
      assert.isAtLeast(seconds, 3600)
      assert.isAtMost(seconds, 3602)
      assert.isAtMost(asked, 260)
      assert.isAtLeast(said.length, 40)
      assert.include(said[0], "it is asked again for up to")
      assert.include(result._tag === "Failure" ? String((result.failure as Error).message) : "", "60 minutes on end")
      const short = yield* during(() => status(503), { giveUpAfter: "10 seconds" })
      assert.isAtLeast(short.seconds, 10)
      assert.isAtMost(short.seconds, 12)
    })
  )

  for (const [what, answer] of [
    ["401", () => status(401)],
    ["HTML", html],
    ["a redirect", redirect],
    ["another shape", otherShape],
    ["another job's answers", otherJob]
  ] as const) {
    it.effect(`ends a read on ${what} only when it was seen several times over a while`, () =>
      Effect.gen(function* () {
        const { asked, result, seconds } = yield* during(answer)
        assert.strictEqual(result._tag, "Failure")
        assert.isAtLeast(asked, 5)
        assert.isAtLeast(seconds, 60)
        assert.isAtMost(seconds, 62)
      })
    )
  }

  it.effect("lasts no longer for being of several kinds", () =>
    Effect.gen(function* () {
      const { result, seconds } = yield* during((nth) => (nth % 2 === 0 ? status(503) : status(401)), {
        giveUpAfter: "5 minutes"
      })
      assert.strictEqual(result._tag, "Failure")
      assert.isAtMost(seconds, 302)
    })
  )

  it.effect("of a job list is waited out as well, a 404 included", () =>
    Effect.gen(function* () {
      const list = { jobs: [], page: 1, page_size: 100, page_count: 0 }
      for (const code of [404, 503]) {
        const { result } = yield* during((_, at) => (at < 20 ? status(code) : json(list)), {}, listJobs)
        assert.strictEqual(result._tag, "Success")
      }
    })
  )

  it.effect("never repeats a submission", () =>
    Effect.gen(function* () {
      for (const answer of [() => status(503), () => status(429), () => status(401), html, otherShape]) {
        const { asked } = yield* during(answer, {}, startCrawl)
        assert.strictEqual(asked, 1)
      }
    })
  )
})
