import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { Converter } from "../src/conversion/Converter.ts"
import { type ScraperConfig, ServerSettings, withDefaults } from "../src/ScraperConfig.ts"
import { raw, testServer } from "./TestScraper.ts"
import { testSite } from "./TestSite.ts"

/** A page as large as one may be, of what takes longest: ten seconds and more, if it is let. */
const endless = "<p><b>x</b> *y* <i>z</i> [</p>".repeat(330_000)
const long = (word: string) => `<p>${`${word} `.repeat(20_000)}</p>`

const converter = (config: Partial<ScraperConfig>) =>
  Effect.map(
    Layer.build(
      Converter.layer.pipe(Layer.provide(Layer.succeed(ServerSettings, withDefaults({ apiKeys: [], ...config }))))
    ),
    (context) => {
      const { convert } = Effect.runSync(Effect.provide(Converter, context))
      return (body: string) =>
        convert(
          {
            _tag: "Loaded",
            url: "http://s.example/",
            httpStatus: 200,
            contentType: "text/html",
            body: Buffer.from(body)
          },
          ["markdown"]
        )
    }
  )

describe("Converter", () => {
  it.live("lets the server answer, and others be converted, while a page takes too long; then the page fails", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/endless": endless, "/long": long("word"), "/short": "<p>short</p>" })
      const baseUrl = yield* testServer({ conversionTimeoutMs: 2500 })
      const extract = (path: string) =>
        raw(`${baseUrl}/v1/extract`, {
          method: "POST",
          headers: { "x-api-key": "first-key", "content-type": "application/json" },
          body: JSON.stringify({ url: site.url(path) })
        })
      const stuck = yield* Effect.forkChild(extract("/endless"))
      const told: Array<string> = []
      const poll = Effect.gen(function* () {
        while (site.hits("/endless") === 0) yield* Effect.yieldNow
        // One after the other: on a thread that is busy none of them would come back before the page is done.
        for (let count = 0; count < 50; count++) assert.strictEqual((yield* raw(`${baseUrl}/health`)).status, 200)
        told.push("health")
      })
      const others = Effect.gen(function* () {
        for (const path of ["/short", "/long"]) assert.strictEqual((yield* extract(path)).status, 200)
        told.push("others")
      })
      yield* Effect.all([poll, others], { concurrency: 2 })
      const failed = yield* Fiber.join(stuck)
      told.push("stuck")
      assert.sameMembers(told.slice(0, 2), ["health", "others"])
      assert.strictEqual(told[2], "stuck")
      assert.strictEqual(failed.status, 422)
      assert.include(JSON.stringify(failed.body), "CONVERSION_TIMEOUT")
    })
  )

  it.live("replaces the thread of a page that takes too long or too much memory", () =>
    Effect.gen(function* () {
      const hungry = yield* converter({ conversionThreads: 1, conversionHeapMiB: 48 })
      const tooComplex = yield* Effect.flip(hungry("<i>x</i><b>y</b>".repeat(250_000)))
      assert.deepInclude({ ...tooComplex }, { code: "PAGE_TOO_COMPLEX", httpStatus: 200, retryable: false })
      assert.match((yield* hungry(long("word"))).markdown ?? "", /^word /)
      const hasty = yield* converter({ conversionThreads: 1, conversionTimeoutMs: 4000 })
      assert.strictEqual((yield* Effect.flip(hasty(endless))).code, "CONVERSION_TIMEOUT")
      assert.match((yield* hasty(long("word"))).markdown ?? "", /^word /)
    }).pipe(Effect.scoped)
  )

  it.live("bounds what waits, and gives a thread back that nobody waits for any more", () =>
    Effect.gen(function* () {
      const convert = yield* converter({ conversionThreads: 1, maxWaitingConversions: 1 })
      const inWork = yield* Effect.forkChild(convert(endless), { startImmediately: true })
      const waiting = yield* Effect.forkChild(convert(long("word")), { startImmediately: true })
      const refused = yield* Effect.flip(convert(long("more")))
      assert.deepInclude({ ...refused }, { code: "CONVERSION_BUSY", retryable: true })
      yield* Fiber.interrupt(inWork)
      assert.match((yield* Fiber.join(waiting)).markdown ?? "", /^word /)
    }).pipe(Effect.scoped)
  )
})
