import { assert, describe, it } from "@effect/vitest"
import { Crawl, Pipeline } from "@sluice/core"
import { canonicalHash } from "@sluice/core/sink"
import { crawlHistory, type JobHistory, makeSite, vanishingAt } from "@sluice/testkit"
import { Effect, Stream } from "effect"
import { rereadWithin } from "../../packages/core/src/run/acquire/chooseRun.ts"
import { setting } from "./attempts.ts"
import { later } from "./later.ts"
import { memorySink } from "./MemorySink.ts"

const site = makeSite({ pages: 90, seed: 4 })
const hour = 3_600_000

/** A job that is gone until it is told to be back. */
const lostUntilFound = () => {
  const job = { isBack: false }
  const whole = crawlHistory(site, { perPoll: 20 })
  const gone = vanishingAt(3, whole)
  const history: JobHistory = { at: (poll) => (job.isBack ? whole.at(poll) : gone.at(poll)) }
  return { job, history }
}

const quick = { settleTime: "50 millis" } as const

describe("a run that ended incomplete", () => {
  it.live("is read again by its name without a POST, and its receipt supersedes the one before", () =>
    Effect.gen(function* () {
      const { history, job } = lostUntilFound()
      const { attempt, ledger, simulator, sink } = yield* setting({ site, crawl: () => history })
      const first = yield* attempt({ reader: quick })
      assert.strictEqual(first.receipt.status, "incomplete")
      assert.isUndefined(yield* ledger.open({ pipeline: "test" }))
      const before = sink.pages.size
      assert.isBelow(before, 90)

      // Still gone: it is incomplete again, and may be read again.
      const resume = { runId: first.receipt.run_id }
      const second = yield* attempt({ resume, reader: quick })
      assert.strictEqual(second.receipt.status, "incomplete")
      assert.strictEqual(second.receipt.run_id, first.receipt.run_id)

      job.isBack = true
      const third = yield* attempt({ resume })
      assert.strictEqual(third.receipt.status, "completed", third.receipt.reason)
      assert.deepInclude(third.receipt.pages, { delivered: 90, completed: 90 })
      assert.strictEqual(third.receipt.sinks[0]?.rows.pages, 90)
      assert.strictEqual(sink.pages.size, 90)
      assert.strictEqual(sink.published, 1)
      assert.deepStrictEqual([simulator.charges.jobs.length, simulator.charges.received("POST")], [1, 1])

      const [run] = yield* ledger.runs({ pipeline: "test", limit: 2 })
      assert.deepStrictEqual(run?.superseded, [first.receipt, second.receipt])
      assert.deepStrictEqual(third.receipt.supersedes, {
        status: "incomplete",
        finished_at: second.receipt.finished_at,
        sha256: canonicalHash(second.receipt)
      })
      assert.isUndefined(first.receipt.supersedes)
    })
  )

  it.live("is read again by the next run once, and then a new one begins", () =>
    Effect.gen(function* () {
      const { history } = lostUntilFound()
      const { attempt, simulator } = yield* setting({
        site,
        crawl: (_, n) => (n === 0 ? history : crawlHistory(site, { perPoll: 20 }))
      })
      const first = yield* attempt({ reader: quick })
      const again = yield* attempt({ reader: quick })
      assert.deepInclude(again.receipt, { run_id: first.receipt.run_id, status: "incomplete" })
      assert.strictEqual(simulator.charges.received("POST"), 1)
      const next = yield* attempt({ reader: quick })
      assert.notStrictEqual(next.receipt.run_id, first.receipt.run_id)
      assert.strictEqual(next.receipt.status, "completed")
      assert.strictEqual(simulator.charges.received("POST"), 2)
    })
  )

  it.live("is not read again by the next run after a day, nor where it was cancelled or the pipeline has changed", () =>
    Effect.gen(function* () {
      const { history } = lostUntilFound()
      const crawl = (_: unknown, n: number) => (n === 0 ? history : crawlHistory(site, { perPoll: 20 }))
      const old = yield* setting({ site, crawl })
      const first = yield* old.attempt({ reader: quick })
      const next = yield* old.attempt({ reader: quick }).pipe(later(rereadWithin + hour))
      assert.notStrictEqual(next.receipt.run_id, first.receipt.run_id)
      // By its name it is, whenever.
      const named = yield* old.attempt({ reader: quick, resume: { runId: first.receipt.run_id } })
      assert.strictEqual(named.receipt.run_id, first.receipt.run_id)

      const changed = yield* setting({ site, crawl })
      const was = yield* changed.attempt({ reader: quick })
      const other = Pipeline.make({
        name: "test",
        source: Crawl.make({ url: "https://b.test/" }),
        sinks: [memorySink().sink]
      })
      const options = { ledger: changed.ledger, reader: { pollMin: "1 millis", ...quick } } as const
      const after = yield* Pipeline.run(other, options).pipe(Effect.provide(changed.layer))
      assert.notStrictEqual(after.run_id, was.receipt.run_id)
    })
  )

  it.live("stays open when its process dies meanwhile, and names the receipt it supersedes all the same", () =>
    Effect.gen(function* () {
      const { history, job } = lostUntilFound()
      const { attempt, ledger } = yield* setting({ site, crawl: () => history })
      const first = yield* attempt({ reader: quick })
      // As a process does that dies after it has opened the run.
      yield* ledger.reopen(first.receipt.run_id, { holder: "gone", durationMs: 0 })
      job.isBack = true
      const second = yield* attempt()
      assert.deepInclude(second.receipt, { run_id: first.receipt.run_id, status: "completed" })
      assert.strictEqual(second.receipt.supersedes?.sha256, canonicalHash(first.receipt))
    })
  )

  it.live("is audited by its receipts, of which none may have been rewritten", () =>
    Effect.gen(function* () {
      const { history, job } = lostUntilFound()
      const { attempt, layer, ledger, pipeline } = yield* setting({ site, crawl: () => history })
      const first = yield* attempt({ reader: quick })
      job.isBack = true
      yield* attempt()
      const audit = (over: typeof ledger) =>
        Stream.runCollect(Pipeline.audit(pipeline, { runId: first.receipt.run_id, askApi: false, ledger: over })).pipe(
          Effect.provide(layer),
          Effect.map((found) => found.filter(({ subject }) => subject === "receipt"))
        )
      const [note, ...others] = yield* audit(ledger)
      assert.deepInclude(note, { kind: "note", where: "ledger" })
      assert.include(note?.detail, `supersedes the receipt of ${first.receipt.finished_at} (incomplete)`)
      assert.isEmpty(others)
      const rewritten = {
        ...ledger,
        runs: (options: Parameters<typeof ledger.runs>[0]) =>
          Effect.map(ledger.runs(options), (runs) =>
            runs.map((run) => ({
              ...run,
              superseded: run.superseded.map((receipt) => ({ ...receipt, status: "completed" as const }))
            }))
          )
      }
      const [difference] = yield* audit(rewritten)
      assert.deepInclude(difference, { kind: "differs" })
    })
  )
})
