import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Crawl, Pipeline, type Receipt, Scraper, type Sink } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { Config, Console, Effect, Layer, Option, Schema } from "effect"
import type { Load } from "./Loading.ts"

/** What a process that loads with Sluice says of itself when it ends. */
export interface LoaderReport extends Load {
  readonly receipt: Receipt
  readonly heapPeak: number
}

/** A sink that keeps nothing and takes its time: so many bytes a second, a segment at a time. */
const slowSink = (bytesPerSecond: number): Sink => ({
  kind: "slow",
  name: "slow",
  behaviour: {},
  connect: Effect.succeed({
    ledger: undefined,
    begin: () =>
      Effect.succeed({
        concurrency: 1,
        publish: Effect.void,
        write: Effect.fnUntraced(function* ({ bytes, records }, commit) {
          yield* Effect.sleep((bytes / bytesPerSecond) * 1000)
          const links = records.reduce((sum, record) => sum + record.links.length, 0)
          const rows = { pages: records.length, links, page_metadata: records.length }
          const result = { rows, deadLetters: 0 }
          yield* commit.run(result)
          return result
        })
      })
  })
})

const Mode = Schema.Literals(["append", "merge", "replace", "history"])

/** Loads one crawl with the defaults anybody has, and reports the highest memory this process came to. */
const main = Effect.gen(function* () {
  const url = yield* Config.option(Config.Redacted("DATABASE_URL"))
  const sink = Option.match(url, {
    onNone: () => Effect.map(Config.Number("BYTES_PER_SECOND"), slowSink),
    onSome: (url) =>
      Effect.map(Config.all({ mode: Config.schema(Mode, "MODE"), schema: Config.String("SCHEMA") }), (options) =>
        Postgres.sink({ url, ...options })
      )
  })
  const pipeline = Pipeline.make({
    name: "bench",
    source: Crawl.make({ url: "https://site.test/" }),
    sinks: [yield* sink]
  })
  const client = Scraper.layer({
    baseUrl: yield* Config.String("API"),
    apiKey: yield* Config.Redacted("KEY"),
    requestsPerSecond: 100_000
  }).pipe(Layer.provide(NodeHttpClient.layerUndici))
  let heapPeak = 0
  const watch = setInterval(() => {
    const { external, heapUsed } = process.memoryUsage()
    heapPeak = Math.max(heapPeak, heapUsed + external)
  }, 50)
  const start = performance.now()
  const receipt = yield* Effect.provide(Pipeline.run(pipeline), client)
  clearInterval(watch)
  const report: LoaderReport = {
    receipt,
    seconds: (performance.now() - start) / 1000,
    peakRss: process.resourceUsage().maxRSS / 1000,
    cpu: (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
    heapPeak: heapPeak / 1e6
  }
  yield* Console.log(JSON.stringify(report))
})

if (import.meta.main) NodeRuntime.runMain(main)
