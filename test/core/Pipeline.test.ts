import { assert, describe, it } from "@effect/vitest"
import {
  Crawl,
  Extract,
  type Ledger,
  makeLedgerMemory,
  Pipeline,
  type RunOptions,
  SiteMap,
  Transform
} from "@sluice/core"
import { canonicalHash, LedgerError, LedgerUnavailable } from "@sluice/core/sink"
import {
  crawlHistory,
  endless,
  historyOf,
  type JobHistory,
  makeSite,
  mapStates,
  type SimulatorOptions,
  stale,
  stateOf,
  vanishingAt
} from "@sluice/testkit"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { type MemorySink, memorySink, sinkFailure } from "./MemorySink.ts"
import { atOnce, simulated, urlsOf } from "./simulated.ts"

/** As a process does that knows the holder dead. */
const takeOverFrom = Effect.fnUntraced(function* (ledger: Ledger, runId: string) {
  const open = yield* ledger.open({ runId })
  return yield* ledger.takeOver(runId, { holder: "elsewhere/1/test", durationMs: 60_000 }, open?.holder ?? undefined)
})

const source = Crawl.make({ url: "https://site.test/", formats: ["markdown", "html"] })
const pipelineInto = (...sinks: ReadonlyArray<MemorySink>) =>
  Pipeline.make({ name: "test", source, sinks: sinks.map(({ sink }) => sink) })

/** Runs a crawl of a history into a memory sink, with a ledger to look into afterwards. */
const runCrawl = Effect.fnUntraced(function* (
  history: JobHistory,
  options: RunOptions = {},
  sink: MemorySink = memorySink(),
  simulator: SimulatorOptions = {}
) {
  const ledger = options.ledger ?? makeLedgerMemory()
  const api = yield* simulated({ crawl: () => history, ...simulator })
  const outcome = yield* Pipeline.execute(pipelineInto(sink), {
    segmentDelayMs: 5,
    adoption: { lag: "20 millis", pause: "5 millis" },
    ...options,
    ledger,
    reader: { ...atOnce, ...options.reader }
  }).pipe(Effect.provide(api.layer))
  return { ...outcome, ledger, sink, ...api }
})

const site = makeSite({ pages: 120, failureRate: 0.2, seed: 3 })
const failedPages = site.pages.slice(0, 120).filter(({ url }) => site.ending(url).status === "failed").length
const crawled = (pages = 120) => crawlHistory(makeSite({ pages, failureRate: 0.2, seed: 3 }), { perPoll: 40 })

describe("Pipeline", () => {
  describe("receipt", () => {
    it.live("agrees with the books of the API and with the sink", () =>
      Effect.gen(function* () {
        const { failure, receipt, simulator, sink } = yield* runCrawl(crawled())
        const { charges } = simulator
        assert.strictEqual(failure._tag, "None")
        assert.strictEqual(receipt.status, "completed")
        assert.isUndefined(receipt.reason)
        assert.isAbove(failedPages, 5)
        assert.deepStrictEqual(receipt.pages, {
          discovered: 120,
          completed: 120 - failedPages,
          failed: failedPages,
          cancelled: 0,
          delivered: 120
        })
        assert.deepStrictEqual(receipt.tokens, { charged: charges.tokens, reserved: 0 })
        assert.strictEqual(charges.tokens, 120 - failedPages)
        assert.deepStrictEqual(receipt.jobs, [
          { job_id: charges.jobs[0]!.jobId, kind: "crawl", url: "https://site.test/", status: "completed" }
        ])
        assert.deepStrictEqual(receipt.requests, { submitted: 1, reads: charges.received("GET"), retries: 0 })
        const [landed] = receipt.sinks
        assert.deepInclude(landed, { name: "memory", kind: "memory", dead_letters: 0 })
        assert.deepInclude(landed?.rows, { pages: 120, page_metadata: 120 })
        assert.strictEqual(sink.pages.size, 120)
        assert.strictEqual(sink.published, 1)
        assert.deepStrictEqual(
          urlsOf(sink.pages.values()),
          site.pages
            .slice(0, 120)
            .map(({ url }) => url)
            .sort()
        )
        assert.isAtMost(Date.parse(receipt.started_at), Date.parse(receipt.finished_at))
      })
    )

    it.live("counts retries apart from reads", () =>
      Effect.gen(function* () {
        const faults = [{ method: "GET", nth: [2, 3, 5], fault: { _tag: "Status", status: 503 } }] as const
        const { receipt, simulator } = yield* runCrawl(crawled(), {}, memorySink(), { faults })
        assert.strictEqual(receipt.status, "completed")
        assert.strictEqual(receipt.requests.retries, 3)
        assert.strictEqual(receipt.requests.reads + 3, simulator.charges.received("GET"))
      })
    )

    it.live("is not talked back by stale answers", () =>
      Effect.gen(function* () {
        const history = stale(
          { seed: 5, probability: 0.5, back: 3 },
          crawlHistory(makeSite({ pages: 300 }), { perPoll: 20 })
        )
        const { receipt } = yield* runCrawl(history)
        assert.deepInclude(receipt, { status: "completed" })
        assert.deepInclude(receipt.pages, { discovered: 300, completed: 300, delivered: 300 })
        assert.strictEqual(receipt.jobs[0]?.status, "completed")
        assert.strictEqual(receipt.tokens.charged, 300)
      })
    )
  })

  describe("status", () => {
    const page = { url: "https://site.test/", parentUrl: null, depth: 1 } as const
    const ended = (status: "failed" | "cancelled") => historyOf(stateOf(status, [{ ...page, status: "completed" }]))

    it.live("is failed when the API ends the job as failed; what it gave has landed, nothing is published", () =>
      Effect.gen(function* () {
        const { failure, receipt, sink } = yield* runCrawl(ended("failed"))
        assert.strictEqual(receipt.status, "failed")
        assert.include(receipt.reason, "failed")
        assert.strictEqual(failure._tag, "None")
        assert.deepStrictEqual([sink.pages.size, sink.published], [1, 0])
      })
    )

    it.live("is incomplete when the job was cancelled", () =>
      Effect.gen(function* () {
        const { receipt, sink } = yield* runCrawl(ended("cancelled"))
        assert.strictEqual(receipt.status, "incomplete")
        assert.deepStrictEqual([sink.pages.size, sink.published], [1, 0])
      })
    )

    it.live("is incomplete when pages and counters never agree", () =>
      Effect.gen(function* () {
        const history = mapStates(crawled(), (state) => ({ ...state, failed: state.failed + 2 }))
        const { receipt, sink } = yield* runCrawl(history)
        assert.strictEqual(receipt.status, "incomplete")
        assert.include(receipt.reason, "counts 122")
        assert.deepStrictEqual([sink.pages.size, sink.published], [120, 0])
      })
    )

    it.live("is incomplete when the job vanished", () =>
      Effect.gen(function* () {
        const { receipt, sink } = yield* runCrawl(vanishingAt(3, crawled()))
        assert.strictEqual(receipt.status, "incomplete")
        assert.include(receipt.reason, "is not any more")
        assert.isAbove(sink.pages.size, 0)
        assert.strictEqual(sink.published, 0)
      })
    )

    it.live("is incomplete when the job does not end in time", () =>
      Effect.gen(function* () {
        // Long enough for all pages to be read on a busy machine: what is proven is that the job, not the reading, does not end.
        const { receipt, sink } = yield* runCrawl(endless(crawled()), { reader: { deadline: "2 seconds" } })
        assert.strictEqual(receipt.status, "incomplete")
        assert.include(receipt.reason, "has not ended")
        assert.strictEqual(sink.pages.size, 120)
      })
    )

    it.live("is failed when the API does not take the job, and nothing is paid", () =>
      Effect.gen(function* () {
        const faults = [{ method: "POST", fault: { _tag: "Status", status: 500 } }] as const
        const { failure, ledger, receipt, simulator } = yield* runCrawl(crawled(), {}, memorySink(), { faults })
        assert.strictEqual(receipt.status, "failed")
        assert.strictEqual(failure._tag === "Some" && failure.value._tag, "SourceError")
        assert.strictEqual(simulator.charges.jobs.length, 0)
        // made once more after the lists had shown that it took no effect, and then given up
        assert.strictEqual(simulator.charges.received("POST"), 2)
        assert.deepStrictEqual(yield* Stream.runCollect(ledger.submissions(receipt.run_id)), [])
      })
    )

    it.live("is interrupted when it was, and stays open; the job goes on", () =>
      Effect.gen(function* () {
        const ledger = makeLedgerMemory()
        const landed = yield* Deferred.make<void>()
        const { layer, simulator } = yield* simulated({ crawl: () => endless(crawled()) })
        const sink = memorySink()
        const fiber = yield* Pipeline.run(pipelineInto(sink), {
          ledger,
          reader: atOnce,
          segmentDelayMs: 5,
          onProgress: ({ rows }) => (rows.pages > 0 ? Effect.asVoid(Deferred.succeed(landed, undefined)) : Effect.void)
        }).pipe(Effect.provide(layer), Effect.forkChild)
        yield* Deferred.await(landed)
        yield* Fiber.interrupt(fiber)
        const [run] = yield* ledger.runs({ limit: 1 })
        assert.strictEqual(run?.status, "interrupted")
        assert.deepStrictEqual([run?.finishedAt, run?.receipt], [null, null])
        assert.deepStrictEqual([simulator.charges.received("DELETE"), sink.published], [0, 0])
      })
    )

    it.effect("is none when a sink does not open: nothing is begun, nothing is paid", () =>
      Effect.gen(function* () {
        const { layer, simulator } = yield* simulated()
        const ledger = makeLedgerMemory()
        const sink = memorySink({ connect: Effect.fail(sinkFailure(false)) })
        const error = yield* Effect.flip(
          Effect.provide(Pipeline.run(pipelineInto(memorySink({ name: "a" }), sink), { ledger }), layer)
        )
        assert.strictEqual(error._tag, "RunNotBegun")
        assert.deepStrictEqual(yield* ledger.runs({ limit: 1 }), [])
        assert.strictEqual(simulator.charges.requests.length, 0)
      })
    )
  })

  describe("segments", () => {
    it.live("are bounded by records", () =>
      Effect.gen(function* () {
        const { sink } = yield* runCrawl(crawled(), { segmentRecords: 7, segmentDelayMs: 10_000 })
        const sizes = sink.written.map(({ records }) => records.length)
        assert.isTrue(
          sizes.slice(0, 17).every((size) => size === 7),
          `${sizes}`
        )
        assert.strictEqual(
          sizes.reduce((a, b) => a + b),
          120
        )
        assert.deepStrictEqual(
          sink.written.map(({ seq }) => seq),
          sink.written.map((_, index) => index + 1)
        )
      })
    )

    it.live("are bounded by bytes", () =>
      Effect.gen(function* () {
        const heavy = makeSite({ pages: 40, bodyBytes: 10_000 })
        const options = { segmentBytes: 100_000, segmentDelayMs: 10_000 }
        const { receipt, sink } = yield* runCrawl(crawlHistory(heavy), options, memorySink(), { site: heavy })
        assert.strictEqual(receipt.status, "completed")
        for (const { bytes, records } of sink.written) {
          assert.strictEqual(
            bytes,
            records.reduce((sum, record) => sum + record.bytes, 0)
          )
          assert.isBelow(bytes, 125_000)
        }
        assert.isAtLeast(sink.written.length, 7)
      })
    )

    it.live("hold no page twice, and the latest snapshot of the job", () =>
      Effect.gen(function* () {
        const { receipt, sink } = yield* runCrawl(crawled(), { segmentRecords: 10 })
        const keys = sink.written.flatMap(({ records }) => records.map(({ key }) => key))
        assert.strictEqual(new Set(keys).size, keys.length)
        for (const { epoch, jobs, runId } of sink.written) {
          assert.deepStrictEqual([runId, epoch], [receipt.run_id, 1])
          assert.isAtMost(jobs.length, 1)
        }
        const last = sink.written.flatMap(({ jobs }) => jobs).at(-1)
        assert.deepInclude(last, { status: "completed", discovered: 120, failed: failedPages })
      })
    )
  })

  describe("sinks", () => {
    it.live("are written again after a failure that may pass, under the same identity", () =>
      Effect.gen(function* () {
        let failures = 0
        const shaky = memorySink({
          before: (_, nth) => (nth === 1 ? Effect.fail(sinkFailure(true)) : Effect.void),
          beforeCommit: () => (failures++ === 0 ? Effect.fail(sinkFailure(true)) : Effect.void)
        })
        const { receipt, sink } = yield* runCrawl(crawled(30), { segmentDelayMs: 2_000 }, shaky)
        assert.strictEqual(receipt.status, "completed")
        assert.deepStrictEqual(
          sink.written.slice(0, 3).map(({ seq }) => seq),
          [1, 1, 1]
        )
        assert.strictEqual(sink.pages.size, 30)
        assert.strictEqual(receipt.sinks[0]?.rows.pages, 30)
      })
    )

    it.live("stop the run with a failure that does not pass", () =>
      Effect.gen(function* () {
        const broken = memorySink({ before: () => Effect.fail(sinkFailure(false)) })
        const { failure, receipt, sink } = yield* runCrawl(crawled(30), {}, broken)
        assert.strictEqual(receipt.status, "failed")
        assert.strictEqual(failure._tag === "Some" && failure.value._tag, "SinkError")
        assert.deepStrictEqual([sink.written.length, sink.published], [1, 0])
      })
    )

    it.live("get bounded attempts", () =>
      Effect.gen(function* () {
        const broken = memorySink({ before: () => Effect.fail(sinkFailure(true)) })
        const { receipt, sink } = yield* runCrawl(crawled(30), { writeRetries: 2 }, broken)
        assert.strictEqual(receipt.status, "failed")
        assert.strictEqual(sink.written.length, 3)
      })
    )

    it.live("get the same segments, several at once, and are counted each", () =>
      Effect.gen(function* () {
        const [a, b] = [memorySink({ name: "a", concurrency: 3 }), memorySink({ name: "b", concurrency: 2 })]
        const { layer } = yield* simulated({ crawl: () => crawled() })
        const options = { reader: atOnce, segmentRecords: 10 }
        const receipt = yield* Effect.provide(Pipeline.run(pipelineInto(a, b), options), layer)
        assert.deepStrictEqual(
          receipt.sinks.map(({ name, rows }) => [name, rows.pages]),
          [
            ["a", 120],
            ["b", 120]
          ]
        )
        assert.deepStrictEqual([...a.pages.keys()].sort(), [...b.pages.keys()].sort())
        assert.deepStrictEqual([a.published, b.published], [1, 1])
      })
    )

    it.live("are not run ahead of: a sink that takes its time holds the reading up", () =>
      Effect.gen(function* () {
        const pages = 5_000
        const gate = yield* Deferred.make<void>()
        const stuck = memorySink({ before: () => Deferred.await(gate) })
        const history = crawlHistory(makeSite({ pages }), { perPoll: pages })
        const { layer, simulator } = yield* simulated({ crawl: () => history })
        const fiber = yield* Pipeline.run(pipelineInto(stuck), {
          reader: { ...atOnce, concurrency: 4 },
          segmentRecords: 50
        }).pipe(Effect.provide(layer), Effect.forkChild)
        // it could have read everything by now
        yield* Effect.repeat(
          Effect.promise(() => fetch(`${simulator.baseUrl}/health`)),
          { times: 200 }
        )
        const reads = simulator.charges.requests.filter(({ url }) => url.startsWith("/v1/crawl")).length
        assert.isBelow(reads, 25)
        yield* Deferred.succeed(gate, undefined)
        const receipt = yield* Fiber.join(fiber)
        assert.strictEqual(receipt.pages.delivered, pages)
        assert.strictEqual(stuck.pages.size, pages)
      })
    )
  })

  describe("ledger", () => {
    /** A ledger that notes the order of its calls beside the API's requests. */
    const watched = (events: Array<string>): Ledger => {
      const ledger = makeLedgerMemory()
      return {
        ...ledger,
        recordIntent: (run, intent) =>
          Effect.tap(ledger.recordIntent(run, intent), () => Effect.sync(() => events.push("intend"))),
        recordJob: (run, ordinal, jobId) =>
          Effect.tap(ledger.recordJob(run, ordinal, jobId), () => Effect.sync(() => events.push("submitted"))),
        commit: (commit) => Effect.tap(ledger.commit(commit), () => Effect.sync(() => events.push("commit"))),
        end: (run, receipt) => Effect.tap(ledger.end(run, receipt), () => Effect.sync(() => events.push("end")))
      }
    }

    const sources = {
      crawl: source,
      extract: Extract.make({ urls: ["https://site.test/p/1"] }),
      "extract at once": Extract.make({ urls: ["https://site.test/p/1"], mode: "sync" }),
      batch: { batch: { urls: ["https://site.test/p/1"], formats: ["markdown"], batch_size: 10 } } as const,
      map: SiteMap.make({ url: "https://site.test/" })
    }
    for (const [what, source] of Object.entries(sources)) {
      it.live(`has the intent before the request leaves and the job right after: ${what}`, () =>
        Effect.gen(function* () {
          const events: Array<string> = []
          const { layer } = yield* simulated({
            crawl: (_, n) => {
              events.push("POST")
              return crawlHistory(makeSite({ pages: 3 + n }))
            },
            batch: (request) => {
              events.push("POST")
              return historyOf(
                stateOf(
                  "completed",
                  request.urls.map((url, inputIndex) => ({
                    url,
                    inputIndex,
                    parentUrl: null,
                    depth: 1,
                    status: "completed"
                  }))
                )
              )
            },
            extract: () => {
              events.push("POST")
              return {}
            },
            map: () => {
              events.push("POST")
              return ["https://site.test/p/1"]
            }
          })
          const sink = memorySink()
          const pipeline = Pipeline.make({ name: "order", source, sinks: [sink.sink] })
          const receipt = yield* Effect.provide(
            Pipeline.run(pipeline, { ledger: watched(events), reader: atOnce }),
            layer
          )
          assert.strictEqual(receipt.status, "completed")
          assert.deepStrictEqual(
            events.filter((event) => event !== "commit" && event !== "end"),
            ["intend", "POST", "submitted"]
          )
          assert.strictEqual(events.at(-1), "end")
        })
      )
    }

    it.live("holds submission, segments with their keys, and the receipt", () =>
      Effect.gen(function* () {
        const { ledger, receipt, simulator, sink } = yield* runCrawl(crawled(), { segmentRecords: 50 })
        const [submission, ...others] = yield* Stream.runCollect(ledger.submissions(receipt.run_id))
        assert.deepStrictEqual(others, [])
        assert.deepInclude(submission, {
          ordinal: 0,
          kind: "crawl",
          url: "https://site.test/",
          jobId: simulator.charges.jobs[0]!.jobId,
          requestHash: canonicalHash({ formats: ["markdown", "html"], url: "https://site.test/" })
        })
        const committed = yield* Stream.runCollect(ledger.committed(receipt.run_id, "memory"))
        const keys = committed.flatMap((segment) => segment.keys.flatMap(({ keys }) => [...keys]))
        assert.sameMembers(
          keys,
          [...sink.pages.values()].map(({ key }) => key)
        )
        assert.deepStrictEqual(
          (yield* ledger.runs({ limit: 5 })).map((run) => run.receipt),
          [receipt]
        )
      })
    )

    it.live("stops a run that another process has taken over", () =>
      Effect.gen(function* () {
        const ledger = makeLedgerMemory()
        const zombie: MemorySink = memorySink({
          beforeCommit: (segment, nth) =>
            nth === 2 ? Effect.asVoid(Effect.orDie(takeOverFrom(ledger, segment.runId))) : Effect.void
        })
        const { failure, receipt, sink } = yield* runCrawl(crawled(), { ledger, segmentRecords: 20 }, zombie)
        assert.strictEqual(receipt.status, "halted")
        assert.include(receipt.reason, "another process took this run over")
        assert.strictEqual(failure._tag === "Some" && failure.value._tag, "LedgerError")
        assert.deepStrictEqual([sink.written.length, sink.published], [2, 0])
        const [run] = yield* ledger.runs({ limit: 1 })
        assert.strictEqual(run?.status, "running")
        const committed = yield* Stream.runCollect(ledger.committed(receipt.run_id, "memory"))
        assert.strictEqual(committed.length, 1)
      })
    )

    it.live("that cannot take the receipt leaves the run failed", () =>
      Effect.gen(function* () {
        const memory = makeLedgerMemory()
        const ledger: Ledger = {
          ...memory,
          end: () => Effect.fail(new LedgerError({ operation: "end", reason: new LedgerUnavailable({ cause: null }) }))
        }
        const { failure, receipt } = yield* runCrawl(crawled(10), { ledger })
        assert.strictEqual(receipt.status, "failed")
        assert.strictEqual(failure._tag === "Some" && failure.value._tag, "LedgerError")
      })
    )
  })

  describe("transforms", () => {
    const transformed = Effect.fnUntraced(function* (...transforms: ReadonlyArray<Transform>) {
      const sink = memorySink()
      const { layer } = yield* simulated({ site, crawl: () => crawlHistory(site, { perPoll: 60 }) })
      const pipeline = Pipeline.make({ name: "test", source, transforms, sinks: [sink.sink] })
      const receipt = yield* Effect.provide(Pipeline.run(pipeline, { reader: atOnce, segmentDelayMs: 5 }), layer)
      assert.strictEqual(receipt.status, "completed")
      assert.strictEqual(receipt.pages.delivered, 120)
      return [...sink.pages.values()]
    })

    it.live("select by status", () =>
      Effect.gen(function* () {
        const kept = yield* transformed(Transform.select({ status: ["failed"] }))
        assert.strictEqual(kept.length, failedPages)
        assert.isTrue(kept.every(({ errorCode, status }) => status === "failed" && errorCode === "FETCH_FAILED"))
      })
    )

    it.live("select by URL and depth", () =>
      Effect.gen(function* () {
        const kept = yield* transformed(Transform.select({ url: "https://site.test/p/1*", max_depth: 3 }))
        const expected = site.pages
          .slice(0, 120)
          .filter(({ depth, url }) => depth <= 3 && url.startsWith("https://site.test/p/1"))
        assert.isAbove(expected.length, 5)
        assert.deepStrictEqual(urlsOf(kept), expected.map(({ url }) => url).sort())
      })
    )

    it.live("drop members and map, one after the other", () =>
      Effect.gen(function* () {
        const upper = Transform.map("upper", (record) =>
          record.depth === 1
            ? null
            : { ...record, markdown: record.markdown?.toUpperCase() ?? null, key: 0n, jobId: "x" }
        )
        const kept = yield* transformed(Transform.drop(["html", "links", "metadata"]), upper)
        assert.strictEqual(kept.length, 119)
        assert.strictEqual(new Set(kept.map(({ key }) => key)).size, 119)
        for (const { bytes, html, links, markdown, tokensCharged, url } of kept) {
          assert.deepStrictEqual([html, links, tokensCharged], [null, [], null])
          if (markdown !== null) assert.strictEqual(markdown, markdown.toUpperCase())
          assert.strictEqual(bytes, 200 + url.length + (markdown?.length ?? 0))
        }
      })
    )
  })
})
