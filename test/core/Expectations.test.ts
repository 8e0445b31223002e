import { assert, describe, it } from "@effect/vitest"
import { Extract, Transform } from "@sluice/core"
import { crawlHistory, makeSite } from "@sluice/testkit"
import { Effect, Option } from "effect"
import { ExpectationFailed, type Expectations } from "../../packages/core/src/pipeline/Expectations.ts"
import { setting, type site, urls } from "./attempts.ts"
import { memorySink, sinkFailure } from "./MemorySink.ts"

const failing = makeSite({ pages: 100, failureRate: 0.2, seed: 4 })
const failures = failing.pages.slice(0, 100).filter(({ url }) => failing.ending(url).status === "failed").length
const crawlOf = (model: typeof site) => ({ site: model, crawl: () => crawlHistory(model, { perPoll: 20 }) })

describe("expectations", () => {
  it.live("that are met change nothing", () =>
    Effect.gen(function* () {
      const expect = { min_pages: 90, max_failed_share: 0, required: ["markdown", "http_status"] } as const
      const { attempt, sink } = yield* setting({}, { expect })
      assert.strictEqual((yield* attempt()).receipt.status, "completed")
      assert.strictEqual(sink.published, 1)
    })
  )

  it.live("that are not met fail the run for good, with bound and figure, and publish nothing", () =>
    Effect.gen(function* () {
      const completed = 100 - failures
      const cases: ReadonlyArray<readonly [Expectations, string, ReadonlyArray<Transform>?]> = [
        [
          { min_pages: 95 },
          `expectation min_pages: at least 95 completed pages were expected, and there are ${completed}`
        ],
        [
          { min_pages: 1 },
          "expectation min_pages: at least 1 completed pages were expected, and there are 0",
          [Transform.select({ status: ["failed"] })]
        ],
        [
          { max_failed_share: 0.05 },
          `expectation max_failed_share: at most 0.05 of the pages may fail, and ${failures} of 100 did`,
          [Transform.select({ status: ["completed"] })]
        ],
        [
          { required: ["markdown", "html"], required_share: 0.5 },
          `expectation required: html was expected in 0.5 of the completed pages, and 0 of ${completed} hold it`,
          [Transform.drop(["html"])]
        ],
        [
          { required: ["links"] },
          `expectation required: links was expected in all of the completed pages, and 0 of ${completed} hold it`,
          [Transform.drop(["links"])]
        ]
      ]
      for (const [expect, reason, transforms = []] of cases) {
        const { attempt, ledger, sink } = yield* setting(crawlOf(failing), { expect, transforms })
        const { failure, receipt } = yield* attempt()
        assert.deepInclude(receipt, { status: "failed", reason })
        assert.instanceOf(Option.getOrUndefined(failure), ExpectationFailed)
        assert.strictEqual(sink.published, 0)
        assert.isUndefined(yield* ledger.open({ pipeline: "test" }))
      }
    })
  )

  it.live("are of the whole run, whatever attempt a page landed in", () =>
    Effect.gen(function* () {
      for (const [minPages, status] of [
        [90, "completed"],
        [91, "failed"]
      ] as const) {
        // The third segment of each of two attempts.
        const sink = memorySink({
          before: (_, nth) => (nth === 3 || nth === 6 ? Effect.fail(sinkFailure(false)) : Effect.void)
        })
        const expect = { min_pages: minPages, required: ["markdown", "links"], required_share: 0.1 } as const
        const { attempt, simulator } = yield* setting({}, { sink, expect })
        assert.strictEqual((yield* attempt()).receipt.status, "failed")
        assert.strictEqual((yield* attempt()).receipt.status, "failed")
        assert.strictEqual((yield* attempt()).receipt.status, status)
        assert.lengthOf(simulator.charges.jobs, 1)
        assert.strictEqual(sink.published, status === "completed" ? 1 : 0)
      }
    })
  )

  it.live("count a page whose submission was lost for good as failed", () =>
    Effect.gen(function* () {
      const lost = { method: "POST", nth: [1], fault: { _tag: "Lost" } } as const
      const { attempt } = yield* setting(
        { faults: [lost] },
        { source: Extract.make({ urls, mode: "sync", concurrency: 1 }), expect: { max_failed_share: 0.05 } }
      )
      assert.deepInclude((yield* attempt()).receipt, {
        status: "failed",
        reason: "expectation max_failed_share: at most 0.05 of the pages may fail, and 1 of 12 did"
      })
    })
  )
})
