import { assert, describe, it } from "@effect/vitest"
import { createDatabase } from "@sluice/testkit"
import { Config, Effect } from "effect"
import { loadPoisoned, type PoisonedLoad } from "./PoisonedLoad.ts"

/** About three rows a page: one of its own, one of its metadata, one of a link to it. */
const soak: PoisonedLoad = { seed: 7, pages: 345_000, poison: 1000, kills: 50 }
const slice: PoisonedLoad = { seed: 7, pages: 2000, poison: 50, kills: 3 }
const load = process.env.SLUICE_LONG_TESTS === undefined ? slice : soak

describe(`a load of ${load.pages} pages, ${load.poison} of which are poison, killed ${load.kills} times`, () => {
  it.live(
    "lands every page that can be once, and sets exactly the poison aside, each with its reason",
    () =>
      Effect.gen(function* () {
        const url = yield* createDatabase({ url: yield* Config.String("TEST_DATABASE_URL"), label: "" })
        const { deaths, duplicates, letters, replayed, rows, wrong } = yield* loadPoisoned(url, load)
        assert.deepStrictEqual(wrong, [])
        assert.strictEqual(duplicates, 0)
        assert.strictEqual(letters, load.poison)
        assert.isAtLeast(deaths, load.kills / 2, "too few died for this to say anything")
        assert.isAtLeast(rows, load === soak ? 1_000_000 : 5000)
        // What is of the wrong shape stays so; all else lands once it is mended and nothing is in its way.
        const misshapen = load.poison / 5
        assert.strictEqual(replayed.landed, load.poison - misshapen)
        assert.deepStrictEqual(
          [...replayed.refused],
          [['contract: it does not fit the contract: ["metadata"]["http_status"]', misshapen]]
        )
      }),
    { timeout: 3 * 3_600_000 }
  )
})
