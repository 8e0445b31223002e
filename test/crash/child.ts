import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Pipeline, Scraper, Source } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { Config, Console, Effect, Layer, Option, Schema } from "effect"
import { Executioner } from "./Executioner.ts"
import { forgetfulSink } from "./forgetfulSink.ts"
import { type Point, perilousScraper, perilousSink, points } from "./points.ts"

const LoadMode = Schema.Literals(["append", "merge"])
const Given = Schema.fromJsonString(Source)

/** A run of the work its environment names, killed at the point it names; prints its receipt if it lives to. */
const main = Effect.gen(function* () {
  const point = yield* Config.option(Config.schema(Schema.Literals(points), "POINT"))
  const nth = yield* Config.Int("NTH").pipe(Config.withDefault(1))
  const executioner = new Executioner<Point>(Option.getOrUndefined(point), nth)
  const forgets = yield* Config.Int("FORGETS_EVERY").pipe(Config.withDefault(0))
  const postgres = Postgres.sink({
    url: yield* Config.Redacted("DATABASE_URL"),
    mode: yield* Config.schema(LoadMode, "MODE").pipe(Config.withDefault("append"))
  })
  const sink = forgets === 0 ? postgres : forgetfulSink(postgres, forgets)
  const pipeline = Pipeline.make({
    name: yield* Config.String("PIPELINE"),
    source: yield* Config.schema(Given, "SOURCE"),
    sinks: [perilousSink(sink, executioner)]
  })
  const client = Scraper.layer({
    baseUrl: yield* Config.String("API"),
    apiKey: yield* Config.Redacted("KEY"),
    retryBase: "2 millis",
    requestsPerSecond: 10_000
  }).pipe(Layer.provide(NodeHttpClient.layerUndici))
  const { receipt } = yield* Pipeline.execute(pipeline, {
    reader: { pollMin: "2 millis", pollMax: "5 millis" },
    adoption: { lag: "150 millis", pause: "20 millis" },
    lease: yield* Config.Int("LEASE_MS").pipe(Config.withDefault(60)),
    segmentRecords: yield* Config.Int("SEGMENT_RECORDS").pipe(Config.withDefault(15)),
    segmentDelayMs: 20
  }).pipe(Effect.provide(Layer.provide(perilousScraper(executioner), client)))
  yield* Console.log(JSON.stringify(receipt))
})

if (import.meta.main) NodeRuntime.runMain(main)
