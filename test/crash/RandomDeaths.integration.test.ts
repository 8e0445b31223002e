import { assert, describe, it } from "@effect/vitest"
import { createDatabase } from "@sluice/testkit"
import { Config, Effect } from "effect"
import { surviveDeaths } from "./RandomDeaths.ts"
import { kinds } from "./Work.ts"

/** Seeds for each kind in the normal suite, where a run has some six lives; a soak takes a quarter as many as it has for a point. */
const few = 1
const seeds = Config.Int("SLUICE_CRASH_SEEDS").pipe(
  Config.map((most) => Math.max(few, Math.round(most / 4))),
  Config.withDefault(few)
)

/** Processes at once. */
const atOnce = 2

describe("a run whose processes die again and again, at any request", () => {
  it.live(
    "ends as if none had",
    () =>
      Effect.gen(function* () {
        const url = yield* createDatabase({ url: yield* Config.String("TEST_DATABASE_URL"), label: "" })
        const most = yield* seeds
        const cases = kinds.flatMap((kind) => Array.from({ length: most }, (_, seed) => ({ kind, seed })))
        const survivals = yield* Effect.forEach(cases, (each) => surviveDeaths(url, each), { concurrency: atOnce })
        assert.deepStrictEqual(
          survivals.flatMap(({ kind, seed, wrong }) => wrong.map((what) => `${kind}, seed ${seed}: ${what}`)),
          []
        )
        const deaths = survivals.reduce((sum, survival) => sum + survival.deaths, 0)
        assert.isAtLeast(deaths, 2 * survivals.length, "too few died for this to say anything")
      }),
    { timeout: 3 * 3_600_000 }
  )
})
