import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Console, Effect, Redacted } from "effect"
import { createDatabase, postgresServer } from "../../packages/testkit/src/PostgresServer.ts"
import { crawlHistory, makeSite, Simulator } from "../../packages/testkit/src/simulator/index.ts"
import { load, writeLoaders } from "./Loading.ts"

// How much memory a loading process takes at most, whatever the crawl: the simulated API runs here, the loader in a process of
// its own, with the defaults and the flag of the `sluice` command. Sizes are the operating system's count of the whole process.
// node test/bench/memory.ts [--small 1000000] [--large 10000] [--large-bytes 1000000] [--speed 60] [--fan-out 10000]

const { values: flags } = parseArgs({
  options: {
    small: { type: "string", default: "1000000" },
    large: { type: "string", default: "10000" },
    "large-bytes": { type: "string", default: "1000000" },
    speed: { type: "string", default: "60" },
    "fan-out": { type: "string", default: "10000" }
  }
})

interface Case {
  readonly name: string
  readonly pages: number
  readonly bodyBytes: number
  /** Pages that end between two requests: the crawl is read while it goes on. */
  readonly perPoll: number
  readonly environment: Readonly<Record<string, string>>
}

/** What the goal is, in MB. */
const most = 400

const measure = Effect.fnUntraced(function* ({ bodyBytes, environment, name, pages, perPoll }: Case) {
  const site = makeSite({ pages, bodyBytes, branching: bodyBytes > 10_000 ? 3 : 10 })
  const simulator = yield* Simulator.make({ site, crawl: () => crawlHistory(site, { perPoll }) })
  const { heapPeak, peakRss, receipt, seconds } = yield* load({
    API: simulator.baseUrl,
    KEY: Redacted.value(simulator.apiKey),
    ...environment
  })
  const { delivered } = receipt.pages
  yield* Console.log(
    [
      name.padEnd(44),
      receipt.status.padEnd(12),
      `${delivered} pages`.padStart(15),
      `${receipt.requests.reads} reads`.padStart(14),
      `${Math.round(pages / seconds)} pages/s`.padStart(14),
      `heap ${Math.round(heapPeak)} MB`.padStart(13),
      `peak RSS ${Math.round(peakRss)} MB`.padStart(18)
    ].join("")
  )
  return receipt.status === "completed" && delivered === pages && peakRss <= most
}, Effect.scoped)

/** A directory for what waits, gone afterwards. */
const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "sluice-bench-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

const bench = Effect.gen(function* () {
  yield* writeLoaders
  const url = yield* Effect.flatMap(postgresServer, createDatabase)
  const cases: ReadonlyArray<Case> = [
    {
      name: "small pages into Postgres",
      pages: Number(flags.small),
      bodyBytes: 300,
      perPoll: 60,
      environment: { DATABASE_URL: url, MODE: "append", SCHEMA: "public" }
    },
    {
      name: `pages of ${Number(flags["large-bytes"]) / 1e6} MB into a sink of ${flags.speed} MB/s`,
      pages: Number(flags.large),
      bodyBytes: Number(flags["large-bytes"]),
      perPoll: 60,
      environment: { BYTES_PER_SECOND: `${Number(flags.speed) * 1e6}` }
    },
    {
      name: `the same into two sinks, one of ${Number(flags.speed) / 100} MB/s while it lasts`,
      pages: Number(flags["fan-out"]),
      bodyBytes: Number(flags["large-bytes"]),
      perPoll: 60,
      environment: {
        BYTES_PER_SECOND: `${Number(flags.speed) * 1e4}`,
        FAN_OUT_PAGES: flags["fan-out"],
        SPOOL: yield* temporary
      }
    }
  ]
  const held = yield* Effect.forEach(cases, (each) => (each.pages > 0 ? measure(each) : Effect.succeed(true)))
  yield* Console.log(`the goal is ${most} MB at most: ${held.every((each) => each) ? "held" : "NOT held"}`)
})

await Effect.runPromise(Effect.scoped(bench))
