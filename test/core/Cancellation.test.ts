import { assert, describe, it } from "@effect/vitest"
import { crawlHistory, type Fault, makeSite } from "@sluice/testkit"
import { Deferred, Effect, Fiber } from "effect"
import { setting } from "./attempts.ts"

const large = makeSite({ pages: 1000, seed: 5 })
const budget = { tokens: 100, clamp: false } as const

/** Pages that completed, as a sink holds them. */
const completedIn = (pages: ReadonlyMap<string, { readonly status: string }>) =>
  [...pages.values()].filter(({ status }) => status === "completed").length

describe("a cancellation at the budget", () => {
  const troubles: ReadonlyArray<readonly [string, Fault]> = [
    ["that is answered with 500 is asked for again until the job has ended", { _tag: "Status", status: 500 }],
    ["that is answered with 404 is asked for again until the job has ended", { _tag: "Status", status: 404 }],
    ["that is answered with a page of HTML is asked for again until the job has ended", { _tag: "Html" }],
    ["that never arrives is asked for again until the job has ended", { _tag: "Reset" }]
  ]
  for (const [what, fault] of troubles) {
    it.live(what, () =>
      Effect.gen(function* () {
        const { attempt, simulator, sink } = yield* setting(
          {
            site: large,
            crawl: () => crawlHistory(large, { perPoll: 5 }),
            faults: [{ method: "DELETE", nth: [1, 2, 3], fault }]
          },
          { budget }
        )
        const { receipt } = yield* attempt()
        assert.strictEqual(receipt.status, "stopped_budget")
        assert.strictEqual(receipt.jobs[0]?.status, "cancelled")
        assert.strictEqual(simulator.charges.received("DELETE"), 4)
        assert.strictEqual(completedIn(sink.pages), simulator.charges.tokens)
        assert.strictEqual(receipt.tokens.charged, simulator.charges.tokens)
      })
    )
  }

  it.live("whose answer is lost is seen to have worked by reading the job", () =>
    Effect.gen(function* () {
      const { attempt, simulator } = yield* setting(
        {
          site: large,
          crawl: () => crawlHistory(large, { perPoll: 5 }),
          faults: [{ method: "DELETE", nth: [1], fault: { _tag: "Lost" } }]
        },
        { budget }
      )
      const { receipt } = yield* attempt()
      assert.deepInclude(receipt.jobs[0], { status: "cancelled" })
      assert.strictEqual(simulator.charges.received("DELETE"), 1)
    })
  )

  it.live("is asked for by the next attempt where this one ended before", () =>
    Effect.gen(function* () {
      const refused = yield* Deferred.make<void>()
      const { attempt, simulator, sink } = yield* setting(
        {
          site: large,
          crawl: () => crawlHistory(large, { perPoll: 5 }),
          faults: [{ method: "DELETE", nth: [1], fault: { _tag: "Status", status: 500 } }],
          onRequest: ({ method }) =>
            method === "DELETE" ? Effect.asVoid(Deferred.succeed(refused, undefined)) : Effect.void
        },
        { budget }
      )
      const first = yield* Effect.forkChild(attempt({ reader: { pollMin: "20 millis", pollMax: "20 millis" } }))
      yield* Deferred.await(refused)
      yield* Fiber.interrupt(first)
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "stopped_budget")
      assert.strictEqual(receipt.jobs[0]?.status, "cancelled")
      assert.isAtLeast(simulator.charges.received("DELETE"), 2)
      assert.strictEqual(completedIn(sink.pages), simulator.charges.tokens)
      assert.strictEqual(simulator.charges.received("POST"), 1)
    })
  )
})
