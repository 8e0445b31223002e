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
        // Two kinds in five land without the one value that could not be read.
        const dead = (load.poison / 5) * 3
        assert.strictEqual(letters, dead)
        assert.isAtLeast(deaths, load.kills / 2, "too few died for this to say anything")
        assert.isAtLeast(rows, load === soak ? 1_000_000 : 5000)
        // All of it lands once it is mended and nothing is in its way.
        assert.strictEqual(replayed.loaded, dead)
        assert.deepStrictEqual([...replayed.refused], [])
      }),
    { timeout: 3 * 3_600_000 }
  )
})
