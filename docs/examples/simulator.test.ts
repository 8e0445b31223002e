// A crawl of an API that throttles, breaks and answers late, and that keeps books of its own.
import { NodeHttpClient } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Crawl, Scraper } from "@sluice/core"
import { faultProfiles, faultRules, makeSite, Simulator } from "@sluice/testkit"
import { Effect, Layer, Stream } from "effect"

it.live("pays for one job and gets each page once", () =>
  Effect.gen(function* () {
    const faults = faultRules(faultProfiles.busy)
    const simulator = yield* Simulator.make({ site: makeSite({ pages: 60 }), faults })
    const client = Layer.provide(Scraper.layer(simulator), NodeHttpClient.layerUndici)
    const pages = yield* Stream.runCollect(Crawl.records({ url: "https://site.test/" })).pipe(Effect.provide(client))
    assert.strictEqual(new Set(pages.map(({ url }) => url)).size, 60)
    assert.deepStrictEqual([pages.length, simulator.charges.jobs.length, simulator.charges.tokens], [60, 1, 60])
  })
)
