import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Crawl, Pipeline, type Receipt, Scraper, type Sink } from "@sluice/core"
import type { Segment } from "@sluice/core/sink"
import { Postgres } from "@sluice/sink-postgres"
import { Directory } from "@sluice/sink-s3"
import { Config, Console, Effect, Layer, Option, Schema } from "effect"
import type { Load } from "./Loading.ts"

/** What a process that loads with Sluice says of itself when it ends. */
export interface LoaderReport extends Load {
  readonly receipt: Receipt
  readonly heapPeak: number
}

/** A sink that keeps nothing and takes its time, a segment at a time. */
const timedSink = (name: string, msOf: (segment: Segment) => number): Sink => ({
  kind: "timed",
  name,
  behaviour: {},
  connect: Effect.succeed({
    ledger: undefined,
    begin: () =>
      Effect.succeed({
        concurrency: 1,
        publish: Effect.void,
        write: Effect.fnUntraced(function* (segment, commit) {
          yield* Effect.sleep(msOf(segment))
          const { records } = segment
          const links = records.reduce((sum, record) => sum + record.links.length, 0)
          const rows = { pages: records.length, links, page_metadata: records.length }
          const result = { rows, deadLetters: 0 }
          yield* commit.run(result)
          return result
        })
      })
  })
})

/** A sink of so many bytes a second. */
const slowSink = (bytesPerSecond: number): Sink => timedSink("slow", ({ bytes }) => (bytes / bytesPerSecond) * 1000)

/** One that takes everything at once, and one of so many bytes a second for as long as the first has not taken all pages. */
const fastAndSlow = (bytesPerSecond: number, pages: number): ReadonlyArray<Sink> => {
  let taken = 0
  return [
    timedSink("fast", ({ records }) => {
      taken += records.length
      return 0
    }),
    timedSink("slow", ({ bytes }) => (taken < pages ? (bytes / bytesPerSecond) * 1000 : 0))
  ]
}

const Mode = Schema.Literals(["append", "merge", "replace", "history"])

/** Loads one crawl with the defaults anybody has, and reports the highest memory this process came to. */
const main = Effect.gen(function* () {
  const url = yield* Config.option(Config.Redacted("DATABASE_URL"))
  const fanOut = yield* Config.Int("FAN_OUT_PAGES").pipe(Config.withDefault(0))
  const sinks = Option.match(url, {
    onNone: () =>
      Effect.map(Config.Number("BYTES_PER_SECOND"), (speed) =>
        fanOut > 0 ? fastAndSlow(speed, fanOut) : [slowSink(speed)]
      ),
    onSome: (url) =>
      Effect.map(Config.all({ mode: Config.schema(Mode, "MODE"), schema: Config.String("SCHEMA") }), (options) => [
        Postgres.sink({ url, ...options })
      ])
  })
  const spool = yield* Config.String("SPOOL").pipe(Config.withDefault("./.sluice/spool"))
  const pipeline = Pipeline.make({
    name: "bench",
    source: Crawl.make({ url: "https://site.test/" }),
    sinks: yield* sinks
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
  }, 250)
  const start = performance.now()
  const receipt = yield* Effect.provide(Pipeline.run(pipeline, { spool: Directory.spool({ path: spool }) }), client)
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
