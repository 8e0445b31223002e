import { assert, describe, it } from "@effect/vitest"
import { Batch, Crawl, Extract, type Ledger, Pipeline, Scraper } from "@sluice/core"
import { crawlHistory, endless } from "@sluice/testkit"
import { Deferred, Effect, Fiber, Option, Schedule } from "effect"
import { crawl, setting, site, urls } from "./attempts.ts"
import { memorySink } from "./MemorySink.ts"

/** Waits until the ledger knows of a run. */
const untilBegun = (ledger: Ledger) =>
  Effect.repeat(ledger.runs({ limit: 1 }), {
    schedule: Schedule.spaced("5 millis"),
    until: (runs) => runs.length === 1
  })

const lost = { method: "POST", nth: [1], fault: { _tag: "Lost" } } as const

describe("a submission whose answer was lost", () => {
  it.live("is adopted, in whatever kind of job, once the list shows it", () =>
    Effect.gen(function* () {
      const sources = [crawl, Batch.make({ urls }), Extract.make({ urls, concurrency: 2 })]
      for (const source of sources) {
        for (const listLag of [0, 3]) {
          const { attempt, simulator, sink } = yield* setting({ faults: [lost], listLag }, { source })
          const { receipt } = yield* attempt()
          const jobs = "extract" in source ? urls.length : 1
          assert.strictEqual(receipt.status, "completed")
          assert.deepStrictEqual([simulator.charges.jobs.length, simulator.charges.received("POST")], [jobs, jobs])
          assert.strictEqual(sink.pages.size, "crawl" in source ? 90 : urls.length)
          assert.strictEqual(receipt.tokens.charged, simulator.charges.tokens)
        }
      }
    })
  )

  it.live("is made again where the list, waited for, shows that it took no effect", () =>
    Effect.gen(function* () {
      const reset = { method: "POST", nth: [1], fault: { _tag: "Reset" } } as const
      const { attempt, simulator } = yield* setting({ faults: [reset] })
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "completed")
      assert.deepStrictEqual([simulator.charges.jobs.length, simulator.charges.received("POST")], [1, 2])
    })
  )

  it.live("halts the run where two jobs could be it, names them, and goes on as decided", () =>
    Effect.gen(function* () {
      for (const decision of ["adopt", "resubmit"] as const) {
        const { attempt, layer, ledger, simulator, sink } = yield* setting(
          { faults: [{ ...lost, nth: [2] }] },
          { orphans: "ignore" }
        )
        yield* Effect.provide(
          Effect.flatMap(Scraper, (scraper) => scraper.createCrawl(crawl.crawl)),
          layer
        )
        const halted = yield* attempt()
        const [first, second] = simulator.charges.jobs
        assert.strictEqual(halted.receipt.status, "halted")
        assert.include(halted.receipt.reason, first!.jobId)
        assert.include(halted.receipt.reason, second!.jobId)
        assert.strictEqual(sink.pages.size, 0)
        assert.strictEqual(simulator.charges.received("POST"), 2)

        const decided = yield* attempt({
          resume: { runId: halted.receipt.run_id },
          decision: decision === "adopt" ? { adopt: second!.jobId } : "resubmit"
        })
        assert.strictEqual(decided.receipt.status, "completed")
        assert.strictEqual(decided.receipt.run_id, halted.receipt.run_id)
        assert.strictEqual(sink.pages.size, 90)
        assert.strictEqual(simulator.charges.received("POST"), decision === "adopt" ? 2 : 3)
        assert.lengthOf(yield* ledger.runs({ limit: 5 }), 1)
      }
    })
  )

  it.live("becomes a failed page where nothing can be found and asking again could pay again", () =>
    Effect.gen(function* () {
      const { attempt, simulator, sink } = yield* setting(
        { faults: [{ ...lost, nth: [3] }] },
        { source: Extract.make({ urls, mode: "sync", concurrency: 1 }) }
      )
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "completed")
      assert.strictEqual(simulator.charges.received("POST"), urls.length)
      const failed = [...sink.pages.values()].filter(({ status }) => status === "failed")
      assert.deepStrictEqual(
        failed.map(({ errorCode, url }) => [errorCode, url]),
        [["ANSWER_LOST", urls[2]!]]
      )
    })
  )

  it.live("is not looked for when the API refused it, and made again when it is throttled", () =>
    Effect.gen(function* () {
      const throttled = { method: "POST", nth: [1, 2], fault: { _tag: "Status", status: 429 } } as const
      const { attempt, simulator } = yield* setting({ faults: [throttled] }, { orphans: "ignore" })
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "completed")
      assert.deepInclude(receipt.requests, { submitted: 1, retries: 2 })
      assert.isEmpty(simulator.charges.requests.filter(({ url }) => url.startsWith("/v1/crawl/jobs")))
      assert.lengthOf(simulator.charges.jobs, 1)
    })
  )
})

describe("a run that did not end", () => {
  it.live("is gone on with by the next attempt: same job, every page once", () =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const sink = memorySink({
        beforeCommit: (_, nth) =>
          nth === 4 ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : Effect.void
      })
      const { attempt, ledger, simulator } = yield* setting({}, { sink })
      const first = yield* Effect.forkChild(attempt())
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(first)
      const [left] = yield* ledger.runs({ limit: 1 })
      assert.deepInclude(left, { status: "interrupted", finishedAt: null })

      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.run_id, left!.runId)
      assert.strictEqual(receipt.status, "completed")
      assert.deepInclude(receipt.pages, { completed: 90, delivered: 90 })
      assert.strictEqual(receipt.sinks[0]?.rows.pages, 90)
      assert.strictEqual(sink.pages.size, 90)
      assert.deepStrictEqual([simulator.charges.jobs.length, simulator.charges.received("POST")], [1, 1])
      assert.lengthOf(yield* ledger.runs({ limit: 5 }), 1)
    })
  )

  it.live("lands what it has read when it is interrupted, and reads no more", () =>
    Effect.gen(function* () {
      const sink = memorySink()
      const { attempt, ledger, simulator } = yield* setting(
        { crawl: () => endless(crawlHistory(site, { perPoll: 20 })) },
        { sink }
      )
      const read = yield* Deferred.make<void>()
      const first = yield* attempt({
        drain: "10 seconds",
        // What is read is held back for longer than this test lasts.
        segmentRecords: 1000,
        segmentDelayMs: 3_600_000,
        onProgress: ({ pages }) =>
          pages.delivered > 0 ? Effect.asVoid(Deferred.succeed(read, undefined)) : Effect.void
      }).pipe(Effect.forkChild)
      yield* Deferred.await(read)
      assert.strictEqual(sink.pages.size, 0)
      yield* Fiber.interrupt(first)
      assert.isAbove(sink.pages.size, 0)
      assert.strictEqual(sink.published, 0)
      const [left] = yield* ledger.runs({ limit: 1 })
      assert.deepInclude(left, { status: "interrupted", finishedAt: null })
      const { jobs, loaded: landed } = yield* ledger.state(left!.runId)
      assert.strictEqual(landed.get("memory")?.rows.pages, sink.pages.size)
      assert.isAtLeast(jobs[0]!.completed, sink.pages.size)
      assert.strictEqual(simulator.charges.received("DELETE"), 0)
    })
  )

  it.live("stays open when the API breaks down, and is anew only when told", () =>
    Effect.gen(function* () {
      const down = { method: "GET", nth: [2, 3, 4, 5, 6, 7], fault: { _tag: "Status", status: 503 } } as const
      const { attempt, ledger, simulator } = yield* setting({ faults: [down] })
      const broken = yield* attempt()
      assert.strictEqual(broken.receipt.status, "failed")
      const open = yield* ledger.open({ pipeline: "test" })
      assert.strictEqual(open?.runId, broken.receipt.run_id)
      const fresh = yield* attempt({ resume: "never" })
      assert.notStrictEqual(fresh.receipt.run_id, broken.receipt.run_id)
      assert.lengthOf(simulator.charges.jobs, 2)
    })
  )

  it.live("is not open when nothing can have been paid for", () =>
    Effect.gen(function* () {
      const refused = { method: "POST", fault: { _tag: "Status", status: 422, body: "validation" } } as const
      const { attempt, ledger } = yield* setting({ faults: [refused] })
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "failed")
      assert.isUndefined(yield* ledger.open({ pipeline: "test" }))
    })
  )

  it.live("is not gone on with by another pipeline of its name", () =>
    Effect.gen(function* () {
      const { attempt, layer, ledger } = yield* setting({ crawl: () => endless(crawlHistory(site, { perPoll: 20 })) })
      const running = yield* Effect.forkChild(attempt())
      yield* untilBegun(ledger)
      yield* Fiber.interrupt(running)
      const other = Pipeline.make({
        name: "test",
        source: Crawl.make({ url: "https://b.test/" }),
        sinks: [memorySink().sink]
      })
      const failure = yield* Effect.flip(Pipeline.run(other, { ledger }).pipe(Effect.provide(layer)))
      assert.strictEqual(failure._tag === "RunNotBegun" && failure.reason._tag, "PipelineChanged")
    })
  )

  it.live("is left to the process that holds it, and fenced from one that has lost it", () =>
    Effect.gen(function* () {
      const { attempt, ledger } = yield* setting({ crawl: () => endless(crawlHistory(site, { perPoll: 20 })) })
      const zombie = yield* Effect.forkChild(attempt({ lease: "2 seconds" }))
      yield* untilBegun(ledger)
      const second = yield* Effect.flip(attempt({ lease: "1 second" }))
      assert.include(second.message, "is being carried out by")
      const open = yield* ledger.open({ pipeline: "test" })
      yield* ledger.takeOver(open!.runId, { holder: "b/1/x", durationMs: 60_000 }, open?.holder ?? undefined)
      const { failure, receipt } = yield* Fiber.join(zombie)
      assert.strictEqual(receipt.status, "halted")
      assert.include(Option.getOrUndefined(failure)?.message, "another process took this run over")
    })
  )

  it.live("is cancelled with its remote job, and lands what was paid for", () =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const sink = memorySink({
        beforeCommit: (_, nth) =>
          nth === 2 ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : Effect.void
      })
      const { attempt, simulator } = yield* setting({ crawl: () => crawlHistory(site, { perPoll: 8 }) }, { sink })
      const first = yield* Effect.forkChild(attempt())
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(first)
      const { receipt } = yield* attempt({ cancel: true })
      assert.strictEqual(receipt.status, "incomplete")
      assert.strictEqual(simulator.charges.received("DELETE"), 1)
      assert.strictEqual(receipt.jobs[0]?.status, "cancelled")
      assert.strictEqual(receipt.pages.completed, simulator.charges.tokens)
      assert.strictEqual(
        [...sink.pages.values()].filter(({ status }) => status === "completed").length,
        simulator.charges.tokens
      )
    })
  )
})
