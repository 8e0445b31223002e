// The pipeline of site.yaml in TypeScript: the same hash, the same rows. Its addresses and its key come from the environment:
// SITE_URL, DATABASE_URL, SCRAPER_API_BASE_URL, GEONODE_SCRAPER_API_KEY.
import { NodeRuntime } from "@effect/platform-node"
import { Crawl, Pipeline, Scraper, Transform } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { Config, Console, Effect } from "effect"

Effect.gen(function* () {
  const pipeline = Pipeline.make({
    name: "site",
    source: Crawl.make({ url: yield* Config.String("SITE_URL"), depth: 3, limit: 100 }),
    transforms: [Transform.select({ status: ["completed"] })],
    sinks: [Postgres.sink({ url: yield* Config.Redacted("DATABASE_URL"), schema: "crawl" })]
  })
  yield* Console.log(JSON.stringify(yield* Pipeline.run(pipeline)))
}).pipe(Effect.provide(Scraper.layerFetch), NodeRuntime.runMain)
