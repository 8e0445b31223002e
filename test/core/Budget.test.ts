import { assert, describe, it } from "@effect/vitest"
import { Batch, Extract, makeLedgerMemory } from "@sluice/core"
import { crawlHistory, makeSite } from "@sluice/testkit"
import { Clock, Effect } from "effect"
import { setting, site, urls } from "./attempts.ts"

describe("budget", () => {
  const large = makeSite({ pages: 1000, seed: 5 })

  it.live("clamps what is asked for", () =>
    Effect.gen(function* () {
      const { attempt, simulator, sink } = yield* setting(
        {
          site: large,
          crawl: ({ limit }) => crawlHistory(large, { perPoll: 40, ...(limit === undefined ? {} : { limit }) })
        },
        { budget: { tokens: 100 } }
      )
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "stopped_budget")
      assert.deepStrictEqual([simulator.charges.tokens, receipt.tokens.charged, sink.pages.size], [100, 100, 100])
    })
  )

  it.live("without the clamp cancels on the first answer that shows the bound, and lands what was paid for", () =>
    Effect.gen(function* () {
      const { attempt, simulator, sink } = yield* setting(
        { site: large, crawl: () => crawlHistory(large, { perPoll: 30 }) },
        { budget: { tokens: 100, clamp: false } }
      )
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "stopped_budget")
      assert.strictEqual(simulator.charges.received("DELETE"), 1)
      const completed = [...sink.pages.values()].filter(({ status }) => status === "completed").length
      assert.strictEqual(completed, simulator.charges.tokens)
      assert.strictEqual(receipt.tokens.charged, simulator.charges.tokens)
    })
  )

  it.live("ends a list of extractions and a batch where it is used up, and lets a smaller site be", () =>
    Effect.gen(function* () {
      const budget = { tokens: 5 }
      const list = yield* setting({}, { source: Extract.make({ urls, concurrency: 3 }), budget })
      assert.strictEqual((yield* list.attempt()).receipt.status, "stopped_budget")
      assert.deepStrictEqual([list.simulator.charges.tokens, list.sink.pages.size], [5, 5])
      const batch = yield* setting({}, { source: Batch.make({ urls, batch_size: 4 }), budget })
      assert.strictEqual((yield* batch.attempt()).receipt.status, "stopped_budget")
      assert.deepStrictEqual([batch.simulator.charges.tokens, batch.sink.pages.size], [5, 5])
      const small = yield* setting({}, { budget: { tokens: 91 } })
      assert.strictEqual((yield* small.attempt()).receipt.status, "completed")
    })
  )

  it.live("is what an empty account amounts to", () =>
    Effect.gen(function* () {
      const { attempt, ledger } = yield* setting({
        faults: [{ method: "POST", fault: { _tag: "Status", status: 402 } }]
      })
      assert.strictEqual((yield* attempt()).receipt.status, "stopped_budget")
      assert.isUndefined(yield* ledger.open({ pipeline: "test" }))
    })
  )
})

const hour = 3_600_000
const day = 24 * hour
const noon = Date.UTC(2026, 5, 15, 12)

/** Goes at the pace of the real clock, from another instant on. */
const startingAt =
  (instant: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Clock.clockWith((real) => {
      const offset = instant - real.currentTimeMillisUnsafe()
      const nanos = BigInt(offset) * 1_000_000n
      return Effect.provideService(effect, Clock.Clock, {
        currentTimeMillisUnsafe: () => real.currentTimeMillisUnsafe() + offset,
        currentTimeMillis: Effect.map(real.currentTimeMillis, (now) => now + offset),
        monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
        monotonicTimeNanos: real.monotonicTimeNanos,
        currentTimeNanosUnsafe: () => real.currentTimeNanosUnsafe() + nanos,
        currentTimeNanos: Effect.map(real.currentTimeNanos, (now) => now + nanos),
        sleep: (duration) => real.sleep(duration)
      })
    })

describe("a budget that runs share", () => {
  const cases = [
    { bound: "per_day", charged: [90, 100, 190, 280] },
    { bound: "per_month", charged: [90, 100, 100, 190] },
    { bound: "per_pipeline", charged: [90, 100, 100, 100] }
  ] as const

  for (const { bound, charged } of cases) {
    it.live(`${bound}: what earlier runs have cost is not there to be spent`, () =>
      Effect.gen(function* () {
        const { attempt, simulator } = yield* setting(
          { crawl: ({ limit = 90 }) => crawlHistory(site, { perPoll: 20, limit }) },
          { budget: { [bound]: 100 } }
        )
        const totals: Array<number> = []
        for (const instant of [noon, noon + hour, noon + day, noon + 30 * day]) {
          const { receipt } = yield* attempt().pipe(startingAt(instant))
          const isExhaustive = receipt.tokens.charged === 90
          assert.strictEqual(receipt.status, isExhaustive ? "completed" : "stopped_budget")
          totals.push(simulator.charges.tokens)
        }
        assert.deepStrictEqual(totals, [...charged])
        const [posts, jobs] = [simulator.charges.received("POST"), simulator.charges.jobs.length]
        const { receipt } = yield* attempt().pipe(startingAt(noon + 2 * hour))
        assert.include(receipt.reason, "100 tokens")
        assert.include(receipt.reason, "other runs have used 100")
        assert.deepStrictEqual([simulator.charges.received("POST"), simulator.charges.jobs.length], [posts, jobs])
      })
    )
  }

  it.live("is the one of the day a run began in, however late it is gone on with", () =>
    Effect.gen(function* () {
      // Every attempt the client makes to read the job; the first read is that of the job list.
      const down = { method: "GET", nth: [2, 3, 4, 5, 6, 7], fault: { _tag: "Status", status: 503 } } as const
      const { attempt, simulator } = yield* setting({ faults: [down] }, { budget: { per_day: 100 } })
      const stopped = yield* attempt().pipe(startingAt(noon))
      assert.strictEqual(stopped.receipt.status, "failed")
      const done = yield* attempt().pipe(startingAt(noon + day))
      assert.deepInclude(done.receipt, { status: "completed", run_id: stopped.receipt.run_id })
      const next = yield* attempt().pipe(startingAt(noon + day + hour))
      assert.strictEqual(next.receipt.status, "completed")
      assert.strictEqual(simulator.charges.tokens, 180)
    })
  )

  it.live("is not passed by runs at the same time", () =>
    Effect.gen(function* () {
      const memory = makeLedgerMemory()
      // As with a store far away: what one fiber has written, another may see before the first goes on.
      const ledger = {
        ...memory,
        recordIntent: (...args: Parameters<typeof memory.recordIntent>) =>
          Effect.andThen(memory.recordIntent(...args), Effect.sleep("2 millis"))
      }
      const { attempt, simulator } = yield* setting(
        {},
        { ledger, source: Extract.make({ urls, concurrency: 3 }), budget: { per_day: 15 } }
      )
      const outcomes = yield* Effect.forEach([1, 2, 3], () => attempt({ resume: "never" }).pipe(startingAt(noon)), {
        concurrency: 3
      })
      assert.isAtMost(simulator.charges.tokens, 15)
      assert.include(
        outcomes.map(({ receipt }) => receipt.status),
        "stopped_budget"
      )
      assert.strictEqual(
        outcomes.reduce((sum, { receipt }) => sum + receipt.tokens.charged, 0),
        simulator.charges.tokens
      )
    })
  )

  it.effect("is no part of what a pipeline is: a run that did not end goes on under another", () =>
    Effect.gen(function* () {
      const one = yield* setting({}, { budget: { tokens: 5 } })
      const other = yield* setting({}, { budget: { per_month: 7, clamp: false } })
      assert.strictEqual(one.pipeline.hash, other.pipeline.hash)
    })
  )
})
