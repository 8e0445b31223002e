import { assert, describe, it } from "@effect/vitest"
import { Batch, Extract, Scraper } from "@sluice/core"
import { crawlHistory, makeSite, type SimulatorOptions } from "@sluice/testkit"
import { Effect } from "effect"
import { crawl, setting, urls } from "./attempts.ts"

const site = makeSite({ pages: 90, seed: 4 })
/** The POST never took effect, or its answer was lost: neither can be told by a list that is wrong. */
const reset = (nth: number) => [{ method: "POST", nth: [nth], fault: { _tag: "Reset" } }] as const
const lost = (nth: number) => [{ method: "POST", nth: [nth], fault: { _tag: "Lost" } }] as const

describe("a job list that cannot be relied on", () => {
  it.live("halts a run of which it lacks another job, instead of paying twice", () =>
    Effect.gen(function* () {
      const { attempt, simulator } = yield* setting(
        { faults: lost(3), listing: "shows none" },
        { source: Extract.make({ urls, concurrency: 1 }) }
      )
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "halted")
      assert.include(receipt.reason, "cannot be relied on: it lacks job")
      assert.strictEqual(simulator.charges.received("POST"), 3)
      assert.strictEqual(simulator.charges.jobs.length, 3)
    })
  )

  it.live("halts a run where a probe has seen that it cannot be relied on", () =>
    Effect.gen(function* () {
      const doubt = "a probe has seen that it shows no new jobs"
      const quick = { lag: "30 millis", pause: "5 millis" } as const
      const { attempt, simulator } = yield* setting({ site, faults: reset(1) })
      const { receipt } = yield* attempt({ adoption: { ...quick, doubt } })
      assert.strictEqual(receipt.status, "halted")
      assert.include(receipt.reason, `cannot be relied on: ${doubt}`)
      assert.strictEqual(simulator.charges.received("POST"), 1)
    })
  )

  it.live("halts a run where it lacks the job of the run before", () =>
    Effect.gen(function* () {
      const { attempt, simulator } = yield* setting({ site, faults: lost(2), listing: "shows none" })
      assert.strictEqual((yield* attempt()).receipt.status, "completed")
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "halted")
      assert.include(receipt.reason, simulator.charges.jobs[0]!.jobId)
      assert.strictEqual(simulator.charges.received("POST"), 2)
    })
  )

  /** Makes jobs of somebody else first, then runs with a submission that was lost. */
  const among = Effect.fnUntraced(function* (others: number, options: SimulatorOptions, since = 0) {
    const given = yield* setting({ site, crawl: () => crawlHistory(site, { perPoll: 90 }), ...options })
    yield* Effect.provide(
      Effect.flatMap(Scraper, (scraper) =>
        Effect.forEach(
          Array.from({ length: others }),
          (_, at) => scraper.createCrawl({ url: `https://o.test/${at}` }),
          {
            concurrency: 8,
            discard: true
          }
        )
      ),
      given.layer
    )
    if (since > 0) yield* Effect.sleep(since)
    // Only what was made within this skew before the submission is asked for.
    const { receipt } = yield* given.attempt({
      adoption: { lag: "20 millis", pause: "5 millis", clockSkew: "1 millis" }
    })
    return { receipt, posts: given.simulator.charges.received("POST") - others }
  })

  it.live("is read beyond the pages it says it has, and adopted from there", () =>
    Effect.gen(function* () {
      // Newest first, so that the lost job is on the first page, and older ones behind it.
      const given = yield* setting({ site, listing: "one page", faults: lost(1) })
      const { receipt } = yield* given.attempt()
      assert.strictEqual(receipt.status, "completed")
      assert.strictEqual(given.simulator.charges.received("POST"), 1)
    })
  )

  it.live("halts the run where its dates are ignored", () =>
    Effect.gen(function* () {
      const { posts, receipt } = yield* among(3, { faults: reset(4), listing: "ignores dates" }, 50)
      assert.strictEqual(receipt.status, "halted")
      assert.include(receipt.reason, "before the date asked for")
      assert.strictEqual(posts, 1)
    })
  )

  it.live("is believed where nothing speaks against it", () =>
    Effect.gen(function* () {
      const { posts, receipt } = yield* among(3, { faults: reset(4) }, 50)
      assert.strictEqual(receipt.status, "completed")
      assert.strictEqual(posts, 2)
    })
  )

  it.live("is no matter of batches alone: a lost batch is found in a list of one page", () =>
    Effect.gen(function* () {
      const { attempt, simulator } = yield* setting(
        { faults: lost(2), listing: "one page" },
        { source: Batch.make({ urls, batch_size: 4 }) }
      )
      assert.strictEqual((yield* attempt()).receipt.status, "completed")
      assert.strictEqual(simulator.charges.jobs.length, 3)
    })
  )

  it.live("is not asked where no answer was lost, once the ledger knows the pipeline", () =>
    Effect.gen(function* () {
      const { attempt, simulator } = yield* setting({ site, listing: "shows none" }, { source: crawl })
      assert.strictEqual((yield* attempt()).receipt.status, "completed")
      const lists = () => simulator.charges.requests.filter(({ url }) => url.includes("/jobs")).length
      assert.strictEqual(lists(), 1)
      assert.strictEqual((yield* attempt()).receipt.status, "completed")
      assert.strictEqual(lists(), 1)
    })
  )
})
