import { assert, describe, it } from "@effect/vitest"
import { Extract, type PageRecord } from "@sluice/core"
import { KeySet, pageKey } from "@sluice/core/sink"
import { type ExtractPlan, makeSite, type SimulatorOptions } from "@sluice/testkit"
import { Effect, Stream } from "effect"
import type { ReaderOptions } from "../../packages/core/src/source/JobReader.ts"
import { CurrentSubmissionLog, type SubmissionLog } from "../../packages/core/src/source/SubmissionLog.ts"
import { atOnce, simulated, urlsOf } from "./simulated.ts"

const urls = Array.from({ length: 12 }, (_, index) => `https://site.test/p/${index + 1}`)

type Options = Parameters<typeof Extract.records>[0]

const extract = Effect.fnUntraced(function* (
  options: Options,
  simulator: SimulatorOptions = {},
  reader: Partial<ReaderOptions> = {}
) {
  const api = yield* simulated(simulator)
  const records = Extract.records(options, { ...atOnce, ...reader }).pipe(Stream.provide(api.layer))
  return { records, simulator: api.simulator }
})

const planFor = (wanted: string, plan: ExtractPlan) => (request: { readonly url: string }) =>
  request.url === wanted ? plan : {}

describe("Extract", () => {
  for (const mode of ["sync", "async"] as const) {
    describe(mode, () => {
      it.live("gives a record for each URL, with its place in the list", () =>
        Effect.gen(function* () {
          const site = makeSite({ pages: 100 })
          const { records, simulator } = yield* extract(
            { urls, mode, extract_links: true, formats: ["html"] },
            { site }
          )
          const pages = yield* Stream.runCollect(records)
          assert.deepStrictEqual(urlsOf(pages), [...urls].sort())
          for (const page of pages) {
            assert.strictEqual(page.url, urls[page.inputIndex!])
            const { html, links } = site.content(page.url)
            assert.deepInclude(page, {
              status: "completed",
              html,
              links,
              markdown: null,
              tokensCharged: 1,
              depth: null
            })
          }
          assert.strictEqual(simulator.charges.received("POST"), 12)
          assert.strictEqual(simulator.charges.tokens, 12)
        })
      )

      it.live("keeps a URL that is named twice apart", () =>
        Effect.gen(function* () {
          const [a = "", b = ""] = urls
          const { records, simulator } = yield* extract({ urls: [a, b, a, a], mode })
          const pages = yield* Stream.runCollect(records)
          const keyed = pages.map(({ inputIndex, key }) => [inputIndex, key] as const).sort(([i], [j]) => i! - j!)
          assert.deepStrictEqual(keyed, [
            [0, pageKey(a)],
            [1, pageKey(b)],
            [2, pageKey(a, 1)],
            [3, pageKey(a, 2)]
          ])
          assert.strictEqual(new Set(pages.map(({ key }) => key)).size, 4)
          assert.strictEqual(simulator.charges.tokens, 4)
        })
      )

      it.live("makes a failed record of a page that could not be fetched, and goes on", () =>
        Effect.gen(function* () {
          const ending = { status: "failed", errorCode: "DNS_FAILED", errorMessage: "No such host" } as const
          const { records, simulator } = yield* extract({ urls, mode }, { extract: planFor(urls[4]!, { ending }) })
          const pages = yield* Stream.runCollect(records)
          assert.strictEqual(pages.length, 12)
          const failed = pages.filter(({ status }) => status === "failed")
          assert.strictEqual(failed.length, 1)
          assert.deepInclude(failed[0], {
            url: "https://site.test/p/5",
            inputIndex: 4,
            errorCode: "DNS_FAILED",
            errorMessage: "No such host",
            markdown: null,
            links: []
          })
          assert.strictEqual(simulator.charges.tokens, 11)
        })
      )

      it.live("has no more in work at once than asked", () =>
        Effect.gen(function* () {
          // every answer is slow, so as many requests are open as may be
          const faults = [{ fault: { _tag: "Slow", millis: 15 } }] as const
          const { records, simulator } = yield* extract({ urls, mode, concurrency: 3 }, { faults })
          const open: Array<number> = []
          let ended = 0
          yield* Stream.runForEach(records, () =>
            Effect.sync(() => {
              ended++
              open.push(simulator.charges.received("POST") - ended)
            })
          )
          assert.strictEqual(ended, 12)
          assert.isAtMost(Math.max(...open), 3)
          assert.isAbove(Math.max(...open), 0)
        })
      )

      it.live("fails when the API fails, having asked once for each URL at most", () =>
        Effect.gen(function* () {
          const faults = [{ method: "POST", nth: [3], fault: { _tag: "Status", status: 500 } }] as const
          const { records, simulator } = yield* extract({ urls, mode, concurrency: 1 }, { faults })
          const error = yield* Effect.flip(Stream.runDrain(records))
          assert.strictEqual(error.reason._tag, "ScraperError")
          assert.strictEqual(simulator.charges.received("POST"), 3)
        })
      )

      it.live("leaves out what is committed", () =>
        Effect.gen(function* () {
          const keys = new KeySet()
          for (const url of urls.slice(0, 5)) keys.add(pageKey(url))
          const journal: SubmissionLog = {
            submit: ({ body, tokens }, post) => Effect.map(post(body(tokens)), ({ jobId }) => jobId),
            committed: () => Effect.succeed(keys),
            progress: () => Effect.succeed("continue"),
            unreconciled: (reason) => Effect.fail(reason)
          }
          const { records } = yield* extract({ urls, mode })
          const pages = yield* Stream.runCollect(records).pipe(Effect.provideService(CurrentSubmissionLog, journal))
          assert.deepStrictEqual(urlsOf(pages), urls.slice(5).sort())
        })
      )
    })
  }

  for (const mode of ["sync", "async"] as const) {
    it.live(`${mode}: makes a failed page of one URL that is refused, and goes on`, () =>
      Effect.gen(function* () {
        const refusals = [
          [{ _tag: "Status", status: 422, body: "validation" }, "VALIDATION_ERROR", "url: Simulated 422"],
          [{ _tag: "Status", status: 422 }, "SIMULATED", "Simulated 422"],
          [{ _tag: "Status", status: 400 }, "SIMULATED", "Simulated 400"],
          [{ _tag: "Status", status: 400, body: "empty" }, "HTTP_400", "HTTP 400 without a message"]
        ] as const
        for (const [fault, errorCode, errorMessage] of refusals) {
          const faults = [{ method: "POST", nth: [3], fault }] as const
          const { records, simulator } = yield* extract({ urls, mode, concurrency: 1 }, { faults })
          const pages = yield* Stream.runCollect(records)
          assert.deepStrictEqual(urlsOf(pages), [...urls].sort())
          const failed = pages.filter(({ status }) => status === "failed")
          assert.deepInclude(failed[0], { url: urls[2]!, inputIndex: 2, errorCode, errorMessage, tokensCharged: 0 })
          assert.lengthOf(failed, 1)
          assert.deepStrictEqual([simulator.charges.received("POST"), simulator.charges.tokens], [12, 11])
        }
      })
    )

    it.live(`${mode}: fails where every URL is refused, and on a refusal that is about the account`, () =>
      Effect.gen(function* () {
        const faults = [{ method: "POST", fault: { _tag: "Status", status: 422, body: "validation" } }] as const
        const { records } = yield* extract({ urls, mode }, { faults })
        const error = yield* Effect.flip(Stream.runDrain(records))
        assert.deepInclude(error.reason, { _tag: "AllRefused", urls: 12 })
        assert.match(error.message, /^all 12 URLs were refused; the last: .*url: Simulated 422/)
        for (const status of [401, 402]) {
          const account = [{ nth: [1], fault: { _tag: "Status", status } }] as const
          const { records } = yield* extract({ urls, mode }, { faults: account })
          assert.strictEqual((yield* Effect.flip(Stream.runDrain(records))).reason._tag, "ScraperError")
        }
      })
    )
  }

  it.live("async: polls until the job ends, whichever way", () =>
    Effect.gen(function* () {
      const plans: ReadonlyArray<ExtractPlan> = [{ polls: 0 }, { polls: 7 }, { ending: { status: "cancelled" } }]
      const { records } = yield* extract({ urls: urls.slice(0, 3) }, { extract: (_, n) => plans[n]! })
      const pages = yield* Stream.runCollect(records)
      assert.deepStrictEqual(pages.map(({ status }) => status).sort(), ["cancelled", "completed", "completed"])
    })
  )

  it.live("async: waits for a job that is unknown at first, not for one that vanished", () =>
    Effect.gen(function* () {
      const late = yield* extract({ urls: urls.slice(0, 1) }, { extract: () => ({ unknownPolls: 3 }) })
      assert.strictEqual((yield* Stream.runCollect(late.records)).length, 1)
      const gone = yield* extract({ urls: urls.slice(0, 1) }, { extract: () => ({ polls: 9, vanishesAfter: 2 }) })
      const error = yield* Effect.flip(Stream.runDrain(gone.records))
      assert.strictEqual(error.reason._tag, "Vanished")
    })
  )

  it.live("async: gives up on a job that does not end in time", () =>
    Effect.gen(function* () {
      const plan: ExtractPlan = { ending: { status: "endless" } }
      const { records } = yield* extract({ urls: urls.slice(0, 1) }, { extract: () => plan }, { deadline: "40 millis" })
      const error = yield* Effect.flip(Stream.runDrain(records))
      assert.strictEqual(error.reason._tag, "DeadlinePassed")
    })
  )

  it.live("async: polls by id, wherever status_url points", () =>
    Effect.gen(function* () {
      const { records } = yield* extract({ urls }, { statusUrlPrefix: "http://127.0.0.1:9" })
      assert.strictEqual((yield* Stream.runCollect(records)).length, 12)
    })
  )

  it.live("gives a page as soon as it is there, however long others take", () =>
    Effect.gen(function* () {
      const plan = planFor(urls[0]!, { ending: { status: "endless" } })
      const { records } = yield* extract({ urls, concurrency: 2 }, { extract: plan })
      const pages: ReadonlyArray<PageRecord> = yield* Stream.runCollect(Stream.take(records, 11))
      assert.deepStrictEqual(urlsOf(pages), urls.slice(1).sort())
    })
  )
})
