import { assert, describe, it } from "@effect/vitest"
import { crawlHistory, faultProfiles, faultRules, makeSite, reordering, stale } from "@sluice/testkit"
import { Effect } from "effect"
import { setting } from "./attempts.ts"

const seeds = process.env.SLUICE_LONG_TESTS === undefined ? 8 : 500

describe("a run against an API that goes wrong in every way", () => {
  it.live(
    "pays for one job, lands each page once, and says so",
    () =>
      Effect.gen(function* () {
        for (let seed = 1; seed <= seeds; seed++) {
          const site = makeSite({ pages: 200, seed, failureRate: 0.1 })
          const moving = reordering({ seed, order: "shuffled", repeated: 0.2 }, crawlHistory(site, { perPoll: 15 }))
          const { attempt, simulator, sink } = yield* setting({
            seed,
            site,
            crawl: () => stale({ seed, probability: 0.2, back: 3 }, moving),
            faults: faultRules(faultProfiles.hostile, 5),
            listLag: 2
          })
          // a read that has failed as often as it may ends the attempt, and the next one goes on
          const { receipt } = yield* Effect.repeat(attempt(), {
            times: 3,
            until: (outcome) => outcome.receipt.status === "completed"
          })
          const { jobs, tokens } = simulator.charges
          assert.strictEqual(receipt.status, "completed", `seed ${seed}: ${receipt.reason}`)
          assert.deepStrictEqual([sink.pages.size, receipt.pages.delivered], [200, 200], `seed ${seed}`)
          assert.deepStrictEqual([jobs.length, receipt.tokens.charged], [1, tokens], `seed ${seed}`)
        }
      }),
    1_800_000
  )
})
