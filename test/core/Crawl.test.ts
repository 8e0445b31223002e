import { assert, describe, it } from "@effect/vitest"
import { Crawl, type PageRecord } from "@sluice/core"
import { KeySet, pageKey } from "@sluice/core/sink"
import {
  arbitraryHistory,
  crawlHistory,
  endless,
  hidePending,
  type JobHistory,
  makeSite,
  mapStates,
  type SimulatorOptions,
  type SiteModel,
  unknownAtFirst,
  vanishingAt
} from "@sluice/testkit"
import { Deferred, Effect, Exit, Fiber, Stream } from "effect"
import * as fc from "fast-check"
import type { ReaderOptions } from "../../packages/core/src/source/JobReader.ts"
import { CurrentSubmissionLog, type SubmissionLog } from "../../packages/core/src/source/SubmissionLog.ts"
import { atOnce, simulated, urlsOf } from "./simulated.ts"

const request = { url: "https://site.test/", formats: ["markdown", "html"] } as const

/** The pages of a crawl of a history. */
const read = Effect.fnUntraced(function* (
  history: JobHistory,
  reader: Partial<ReaderOptions> = {},
  options: SimulatorOptions = {}
) {
  const { layer, simulator } = yield* simulated({ crawl: () => history, ...options })
  const records = Crawl.records(request, { ...atOnce, ...reader }).pipe(Stream.provide(layer))
  return { records, simulator }
})

const collect = <E>(records: Stream.Stream<PageRecord, E>) => Stream.runCollect(records)

describe("Crawl", () => {
  it.live("delivers each page of moving jobs once", () =>
    Effect.gen(function* () {
      const samples = fc.sample(arbitraryHistory, { seed: 7, numRuns: 15 })
      for (const history of samples) {
        const { records, simulator } = yield* read(history)
        const pages = yield* collect(records)
        assert.deepStrictEqual(urlsOf(pages), [...history.terminal.keys()].sort(), JSON.stringify(history.options))
        for (const { status, url } of pages) assert.strictEqual(status, history.terminal.get(url))
        assert.strictEqual(simulator.charges.received("POST"), 1)
      }
    })
  )

  it.live("delivers each page once through faults of every kind", () =>
    Effect.gen(function* () {
      const faults = (
        [
          { _tag: "Status", status: 503 },
          { _tag: "Status", status: 429, retryAfter: { as: "seconds", seconds: 0 } },
          { _tag: "Reset" },
          { _tag: "Lost" },
          { _tag: "Truncated" }
        ] as const
      ).map((fault) => ({ method: "GET", probability: 0.08, fault }) as const)
      for (const seed of [1, 2, 3, 4]) {
        const [history] = fc.sample(arbitraryHistory, { seed, numRuns: 1 })
        const { records, simulator } = yield* read(history!, {}, { faults, seed })
        const pages = yield* collect(records)
        assert.deepStrictEqual(urlsOf(pages), [...history!.terminal.keys()].sort(), JSON.stringify(history!.options))
        assert.strictEqual(simulator.charges.jobs.length, 1)
      }
    })
  )

  it.live("makes a record of all that a page came with", () =>
    Effect.gen(function* () {
      const site = makeSite({ pages: 40, failureRate: 0.3, seed: 2 })
      const { records, simulator } = yield* read(crawlHistory(site), {}, { site })
      const pages = yield* collect(records)
      const { jobId } = simulator.charges.jobs[0]!
      const byUrl = new Map(site.pages.slice(0, 40).map((page) => [page.url, page]))
      for (const page of pages) {
        const { depth, parentUrl } = byUrl.get(page.url)!
        const ending = site.ending(page.url)
        const content = site.content(page.url)
        const place = { jobId, key: pageKey(page.url), inputIndex: null, depth, parentUrl }
        assert.deepInclude(
          page,
          ending.status === "failed"
            ? {
                ...place,
                status: "failed",
                errorCode: ending.errorCode,
                errorMessage: ending.errorMessage,
                markdown: null,
                html: null,
                links: [],
                tokensCharged: 0
              }
            : {
                ...place,
                status: "completed",
                errorCode: null,
                errorMessage: null,
                markdown: content.markdown,
                html: content.html,
                links: content.links,
                httpStatus: content.httpStatus,
                durationMs: content.durationMs,
                retryCount: content.retryCount,
                tokensCharged: 1
              }
        )
        const { bytes, html, links, markdown, url } = page
        const weight = links.reduce((sum, link) => sum + link.length + 16, 0)
        assert.strictEqual(bytes, 200 + url.length + (markdown?.length ?? 0) + (html?.length ?? 0) + weight)
      }
      assert.isTrue(pages.some(({ status }) => status === "failed"))
      assert.strictEqual(pages.length, 40)
    })
  )

  it.live("reads slices that are short because open pages are left out", () =>
    Effect.gen(function* () {
      const history = mapStates(crawlHistory(makeSite({ pages: 200 }), { perPoll: 15 }), hidePending)
      const { records } = yield* read(history)
      assert.strictEqual((yield* collect(records)).length, 200)
    })
  )

  it.live("waits for a job that is unknown at first", () =>
    Effect.gen(function* () {
      const { records } = yield* read(unknownAtFirst(4, crawlHistory(makeSite())))
      assert.strictEqual((yield* collect(records)).length, 25)
    })
  )

  it.live("fails when the job stays unknown past its settling time", () =>
    Effect.gen(function* () {
      const { records } = yield* read({ at: () => undefined }, { settleTime: "20 millis" })
      const error = yield* Effect.flip(collect(records))
      assert.strictEqual(error.reason._tag, "Vanished")
    })
  )

  it.live("fails when the job vanishes, after what it had delivered", () =>
    Effect.gen(function* () {
      const { records } = yield* read(vanishingAt(3, crawlHistory(makeSite())))
      const seen: Array<string> = []
      const noted = Stream.tap(records, ({ url }) => Effect.sync(() => seen.push(url)))
      const error = yield* Effect.flip(collect(noted))
      assert.strictEqual(error.reason._tag, "Vanished")
      assert.strictEqual(seen.length, 20)
    })
  )

  it.live("fails as incomplete after bounded sweeps on counters that never agree", () =>
    Effect.gen(function* () {
      const history = mapStates(crawlHistory(makeSite({ pages: 60 }), { perPoll: 60 }), (state) => ({
        ...state,
        completed: state.completed + 1
      }))
      const { records, simulator } = yield* read(history, { maxSweeps: 2, settleTime: 0 })
      const error = yield* Effect.flip(collect(records))
      assert.deepInclude(error.reason, { _tag: "Incomplete", expected: 61, delivered: 60 })
      // A probe, then three passes over two slices, of which each looks three slices further; and page 0 once.
      assert.isAtMost(simulator.charges.received("GET"), 1 + 3 * (2 + 3) + 1 + 1)
    })
  )

  it.live("fails when the deadline passes", () =>
    Effect.gen(function* () {
      const { records } = yield* read(endless(crawlHistory(makeSite())), { deadline: "50 millis" })
      const error = yield* Effect.flip(collect(records))
      assert.deepInclude(error.reason, { _tag: "DeadlinePassed", afterMs: 50 })
    })
  )

  it.live("asks for as many pages at once as their weight allows, and delivers each once", () =>
    Effect.gen(function* () {
      const light = makeSite({ pages: 1000, bodyBytes: 1_000 })
      const heavy = makeSite({ pages: 160, bodyBytes: 40_000 })
      // Heavy pages behind light ones: the size goes up, and down again.
      const site: SiteModel = {
        ...light,
        content: (url) => (Number(url.split("/").at(-1)) > 700 ? heavy : light).content(url)
      }
      const { records, simulator } = yield* read(crawlHistory(site), { inFlightBytes: 2_000_000 }, { site })
      const pages = yield* collect(records)
      assert.deepStrictEqual(
        urlsOf(pages),
        site.pages
          .slice(0, 1000)
          .map(({ url }) => url)
          .sort()
      )
      const sizes = simulator.charges.requests.map(({ url }) => /page_size=(\d+)/.exec(url)?.[1])
      assert.deepStrictEqual([...new Set(sizes.slice(1))].slice(0, 2), ["5", "50"])
      assert.include(["1", "5"], sizes.at(-1))
    })
  )

  describe("with a journal", () => {
    const journal: SubmissionLog = {
      submit: ({ body, tokens }, post) => Effect.map(post(body(tokens)), ({ jobId }) => jobId),
      committed: () => Effect.sync(() => new KeySet()),
      progress: () => Effect.succeed("continue"),
      unreconciled: (reason) => Effect.fail(reason)
    }
    const site = makeSite({ pages: 130 })
    const all = site.pages.slice(0, 130).map(({ url }) => url)

    it.live("leaves out what is committed, and nothing else", () =>
      Effect.gen(function* () {
        for (const done of [all.slice(0, 50), all.slice(37, 99), all.filter((_, index) => index % 3 === 0), all]) {
          const keys = new KeySet()
          for (const url of done) keys.add(pageKey(url))
          const { records } = yield* read(crawlHistory(site, { perPoll: 30 }))
          const pages = yield* collect(records).pipe(
            Effect.provideService(CurrentSubmissionLog, { ...journal, committed: () => Effect.succeed(keys) })
          )
          const rest = new Set(done)
          assert.deepStrictEqual(urlsOf(pages), all.filter((url) => !rest.has(url)).sort())
        }
      })
    )

    it.live("cancels the job once when told to, and lands what was paid for", () =>
      Effect.gen(function* () {
        const { records, simulator } = yield* read(crawlHistory(site, { perPoll: 10 }))
        const pages = yield* collect(records).pipe(
          Effect.provideService(CurrentSubmissionLog, {
            ...journal,
            progress: ({ completed }) => Effect.succeed(completed >= 40 ? "cancel" : "continue")
          })
        )
        assert.strictEqual(simulator.charges.received("DELETE"), 1)
        assert.strictEqual(pages.filter(({ status }) => status === "completed").length, 40)
        assert.strictEqual(simulator.charges.tokens, 40)
        assert.isAbove(pages.filter(({ status }) => status === "cancelled").length, 0)
      })
    )

    it.live("does not mind a job that ended before it could be cancelled", () =>
      Effect.gen(function* () {
        const faults = [{ method: "DELETE", fault: { _tag: "Status", status: 409, body: "empty" } }] as const
        const { records, simulator } = yield* read(crawlHistory(site, { perPoll: 50 }), {}, { faults })
        const pages = yield* collect(records).pipe(
          Effect.provideService(CurrentSubmissionLog, { ...journal, progress: () => Effect.succeed("cancel") })
        )
        assert.strictEqual(pages.length, 130)
        assert.strictEqual(simulator.charges.received("DELETE"), 1)
      })
    )
  })

  describe("stream", () => {
    it.live("gives its first page while the job runs", () =>
      Effect.gen(function* () {
        const first = yield* Deferred.make<void>()
        // the job does not end before its first page was delivered
        let delivered = false
        const inner = crawlHistory(makeSite({ pages: 50 }), { perPoll: 5 })
        const history: JobHistory = { at: (poll) => inner.at(delivered ? poll : Math.min(poll, 2)) }
        const { records } = yield* read(history)
        const pages = yield* collect(
          Stream.tap(records, () =>
            Effect.suspend(() => {
              delivered = true
              return Deferred.succeed(first, undefined)
            })
          )
        )
        assert.isTrue(yield* Deferred.isDone(first))
        assert.strictEqual(pages.length, 50)
      })
    )

    it.live("reads no further than its reader asks", () =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const stuck = yield* Deferred.make<void>()
        const history = crawlHistory(makeSite({ pages: 4_000 }), { perPoll: 4_000 })
        const { records, simulator } = yield* read(history, { concurrency: 4 })
        const slow = Stream.tap(records, () => Effect.andThen(Deferred.succeed(stuck, undefined), Deferred.await(gate)))
        const fiber = yield* Effect.forkChild(Stream.runDrain(slow))
        yield* Deferred.await(stuck)
        yield* Effect.repeat(
          Effect.promise(() => fetch(`${simulator.baseUrl}/health`)),
          { times: 100 }
        )
        const reads = simulator.charges.requests.filter(({ url }) => url.startsWith("/v1/crawl")).length
        assert.isAtMost(reads, 10)
        yield* Fiber.interrupt(fiber)
      })
    )

    it.live("ends early without an error; nothing is asked any more and the job is left alone", () =>
      Effect.gen(function* () {
        const { records, simulator } = yield* read(endless(crawlHistory(makeSite({ pages: 100 }))))
        const pages = yield* collect(Stream.take(records, 3))
        assert.strictEqual(pages.length, 3)
        const reads = simulator.charges.received("GET")
        yield* Effect.repeat(
          Effect.promise(() => fetch(`${simulator.baseUrl}/health`)),
          { times: 20 }
        )
        assert.strictEqual(simulator.charges.received("GET"), reads + 21)
        assert.strictEqual(simulator.charges.received("DELETE"), 0)
      })
    )

    it.live("is interrupted in the midst of a request", () =>
      Effect.gen(function* () {
        const faults = [{ path: "/v1/crawl/", nth: [2], fault: { _tag: "Slow", millis: 60_000 } }] as const
        const { records, simulator } = yield* read(crawlHistory(makeSite()), {}, { faults })
        const waiting = yield* Deferred.make<void>()
        const noted = Stream.onStart(records, Deferred.succeed(waiting, undefined))
        const fiber = yield* Effect.forkChild(Stream.runDrain(noted))
        yield* Deferred.await(waiting)
        const inFlight = Effect.promise(() => fetch(`${simulator.baseUrl}/health`)).pipe(
          Effect.map(() => simulator.charges.requests.some(({ fault }) => fault === "Slow"))
        )
        yield* Effect.repeat(inFlight, { until: (found) => found })
        yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      })
    )

    it.live("pays anew each time it is run", () =>
      Effect.gen(function* () {
        const { records, simulator } = yield* read(crawlHistory(makeSite()))
        const [first, second] = [yield* collect(records), yield* collect(records)]
        assert.deepStrictEqual([first.length, second.length, simulator.charges.jobs.length], [25, 25, 2])
        assert.notStrictEqual(first[0]?.jobId, second[0]?.jobId)
      })
    )
  })
})
