import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Crawl, Pipeline, Scraper } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { Config, Console, Effect, Layer, Option, Schema } from "effect"
import { Executioner, perilousScraper, perilousSink, points } from "./points.ts"

/** A run of a crawl, killed at the point its environment names; prints its receipt if it lives to. */
const main = Effect.gen(function* () {
  const point = yield* Config.option(Config.schema(Schema.Literals(points), "POINT"))
  const executioner = new Executioner(Option.getOrUndefined(point), yield* Config.Int("NTH"))
  const sink = Postgres.sink({ url: yield* Config.Redacted("DATABASE_URL"), mode: "append" })
  const pipeline = Pipeline.make({
    name: yield* Config.String("PIPELINE"),
    source: Crawl.make({ url: "https://site.test/" }),
    sinks: [perilousSink(sink, executioner)]
  })
  const client = Scraper.layer({
    baseUrl: yield* Config.String("API"),
    apiKey: yield* Config.Redacted("KEY"),
    retryBase: "2 millis"
  }).pipe(Layer.provide(NodeHttpClient.layerUndici))
  const receipt = yield* Pipeline.run(pipeline, {
    reader: { pollMin: "2 millis", pollMax: "5 millis" },
    adoption: { lag: "150 millis", pause: "20 millis" },
    lease: "60 millis",
    segmentRecords: 15,
    segmentDelayMs: 20
  }).pipe(Effect.provide(Layer.provide(perilousScraper(executioner), client)))
  yield* Console.log(JSON.stringify(receipt))
})

if (import.meta.main) NodeRuntime.runMain(main)
