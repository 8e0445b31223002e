import { NodeRuntime } from "@effect/platform-node"
import { Crawl, Pipeline, Scraper, Transform } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { Config, Console, Effect } from "effect"

const main = Effect.gen(function* () {
  const pipeline = Pipeline.make({
    name: "typescript",
    source: Crawl.make({ url: yield* Config.String("SITE_URL"), depth: 3, limit: 200 }),
    transforms: [
      // Pages that failed are not loaded. The name of a map is part of the pipeline's hash.
      Transform.select({ status: ["completed"] }),
      Transform.map("trimmed", (page) => ({ ...page, markdown: page.markdown?.trim() ?? null }))
    ],
    sinks: [Postgres.sink({ url: yield* Config.Redacted("DATABASE_URL"), schema: "docs" })],
    budget: { tokens: 200 }
  })
  const receipt = yield* Pipeline.run(pipeline)
  yield* Console.log(`run ${receipt.run_id}: ${receipt.pages.delivered} pages, ${receipt.tokens.charged} tokens`)
})

main.pipe(Effect.provide(Scraper.layerFetch), NodeRuntime.runMain)
