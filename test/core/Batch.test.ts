import { assert, describe, it } from "@effect/vitest"
import { Batch } from "@sluice/core"
import { KeySet, pageKey } from "@sluice/core/sink"
import { batchHistory, makeSite, mapStates, type SimulatorOptions, stale, vanishingAt } from "@sluice/testkit"
import { Effect, Stream } from "effect"
import { CurrentSubmissionLog, type SubmissionLog } from "../../packages/core/src/source/SubmissionLog.ts"
import { atOnce, simulated, urlsOf } from "./simulated.ts"

const urls = Array.from({ length: 130 }, (_, index) => `https://site.test/p/${index + 1}`)

const batch = Effect.fnUntraced(function* (
  options: Parameters<typeof Batch.records>[0],
  simulator: SimulatorOptions = {}
) {
  const api = yield* simulated(simulator)
  return { records: Batch.records(options, atOnce).pipe(Stream.provide(api.layer)), simulator: api.simulator }
})

const journal: SubmissionLog = {
  submit: ({ body, tokens }, post) => Effect.map(post(body(tokens)), ({ jobId }) => jobId),
  committed: () => Effect.sync(() => new KeySet()),
  progress: () => Effect.succeed("continue"),
  unreconciled: (reason) => Effect.fail(reason)
}

describe("Batch", () => {
  it.live("gives a record for each URL, in as many jobs as it takes", () =>
    Effect.gen(function* () {
      const { records, simulator } = yield* batch({ urls, batch_size: 60 })
      const pages = yield* Stream.runCollect(records)
      assert.deepStrictEqual(urlsOf(pages), [...urls].sort())
      assert.strictEqual(simulator.charges.jobs.length, 3)
      assert.strictEqual(simulator.charges.tokens, 130)
      for (const { inputIndex, jobId, url } of pages) {
        const part = simulator.charges.jobs.findIndex((job) => job.jobId === jobId)
        assert.strictEqual(url, urls[part * 60 + inputIndex!])
      }
    })
  )

  it.live("keeps a URL that is named twice apart, by its place", () =>
    Effect.gen(function* () {
      const [a = "", b = ""] = urls
      const { records } = yield* batch({ urls: [a, b, a, b, a] })
      const pages = yield* Stream.runCollect(records)
      const keyed = pages.map(({ inputIndex, key, url }) => [inputIndex, url, key] as const)
      assert.deepStrictEqual(
        keyed.sort(([i], [j]) => i! - j!),
        [
          [0, a, pageKey(a)],
          [1, b, pageKey(b)],
          [2, a, pageKey(a, 1)],
          [3, b, pageKey(b, 1)],
          [4, a, pageKey(a, 2)]
        ]
      )
    })
  )

  it.live("makes failed records of the URLs the API refuses, and reads on", () =>
    Effect.gen(function* () {
      const isInvalidUrl = (url: string) => url.endsWith("7")
      const { records, simulator } = yield* batch({ urls, batch_size: 60 }, { isInvalidUrl })
      const pages = yield* Stream.runCollect(records)
      assert.deepStrictEqual(urlsOf(pages), [...urls].sort())
      assert.strictEqual(simulator.charges.tokens, 117)
      for (const { errorCode, inputIndex, status, url } of pages) {
        assert.strictEqual(inputIndex, urls.indexOf(url) % 60)
        const expected = isInvalidUrl(url) ? ["failed", "INVALID_URL"] : ["completed", null]
        assert.deepStrictEqual([status, errorCode], expected)
      }
    })
  )

  it.live("fails when the API is told to refuse the whole for them", () =>
    Effect.gen(function* () {
      const { records, simulator } = yield* batch(
        { urls, ignore_invalid_urls: false },
        { isInvalidUrl: (url) => url.endsWith("7") }
      )
      const error = yield* Effect.flip(Stream.runDrain(records))
      assert.include(error.message, "URLs are invalid")
      assert.strictEqual(simulator.charges.jobs.length, 0)
    })
  )

  it.live("makes failed records of what could not be fetched and reads stale answers", () =>
    Effect.gen(function* () {
      const site = makeSite({ pages: 200, failureRate: 0.3 })
      const { records } = yield* batch(
        { urls },
        {
          site,
          batch: (request) =>
            stale({ seed: 3, probability: 0.4, back: 4 }, batchHistory(site, request.urls, { perPoll: 9 }))
        }
      )
      const pages = yield* Stream.runCollect(records)
      assert.deepStrictEqual(urlsOf(pages), [...urls].sort())
      for (const { errorCode, status, url } of pages) {
        assert.strictEqual(status, site.ending(url).status)
        assert.strictEqual(errorCode, status === "failed" ? "FETCH_FAILED" : null)
      }
    })
  )

  it.live("delivers cancelled items as such when it is cancelled", () =>
    Effect.gen(function* () {
      const { records, simulator } = yield* batch({ urls })
      const pages = yield* Stream.runCollect(records).pipe(
        Effect.provideService(CurrentSubmissionLog, {
          ...journal,
          progress: ({ completed }) => Effect.succeed(completed >= 30 ? "cancel" : "continue")
        })
      )
      assert.strictEqual(simulator.charges.received("DELETE"), 1)
      assert.strictEqual(pages.length, 130)
      assert.strictEqual(pages.filter(({ status }) => status === "completed").length, simulator.charges.tokens)
      assert.isAbove(pages.filter(({ status }) => status === "cancelled").length, 50)
    })
  )

  it.live("fails as incomplete on counters that never agree, as vanished on a job that is gone", () =>
    Effect.gen(function* () {
      const site = makeSite({ pages: 200 })
      const off = yield* batch(
        { urls },
        {
          batch: (request) =>
            mapStates(batchHistory(site, request.urls), (state) => ({ ...state, completed: state.completed + 3 }))
        }
      )
      const incomplete = yield* Effect.flip(Stream.runDrain(off.records))
      assert.deepInclude(incomplete.reason, { _tag: "Incomplete", expected: 133, delivered: 130 })
      const gone = yield* batch({ urls }, { batch: (request) => vanishingAt(4, batchHistory(site, request.urls)) })
      const vanished = yield* Effect.flip(Stream.runDrain(gone.records))
      assert.strictEqual(vanished.reason._tag, "Vanished")
    })
  )
})
