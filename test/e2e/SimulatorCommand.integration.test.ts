import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Crawl, Pipeline, type Receipt, Scraper } from "@sluice/core"
import { Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { canary, directory, run, runJson } from "../../apps/runner/test/Cli.ts"
import { testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import { memorySink } from "../core/MemorySink.ts"
import { atOnce } from "../core/simulated.ts"
import { type Books, simulatorEntry, startSimulator } from "./SimulatorProcess.ts"

describe("sluice-simulator", () => {
  it.live(
    "serves a run of the command line that moves and goes wrong, and writes its books when it is told to end",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const database = yield* testDatabase()
        const charges = join(cwd, "charges.json")
        const simulator = yield* startSimulator([
          ...["--key", canary.apiKey, "--charges", charges, "--seed", "3", "--pages", "130", "--growth", "40"],
          ...[
            "--faults",
            "busy",
            "--rate-truncate",
            "0.1",
            "--order",
            "shuffled",
            "--repeated",
            "0.2",
            "--stale",
            "0.1"
          ]
        ])
        writeFileSync(
          join(cwd, "sluice.yaml"),
          `name: simulated\nsource:\n  crawl: { url: "${simulator.site}" }\nsinks:\n  - postgres: { url: $DATABASE_URL }\n`
        )
        const receipt = yield* runJson<Receipt>(["run", "--json"], {
          cwd,
          env: {
            DATABASE_URL: database.url,
            SCRAPER_API_BASE_URL: simulator.baseUrl,
            GEONODE_SCRAPER_API_KEY: simulator.apiKey
          }
        })
        assert.deepInclude(receipt, { status: "completed", tokens: { charged: 130, reserved: 0 } })
        assert.deepStrictEqual(yield* database.rows("SELECT count(*)::int AS pages FROM pages"), [{ pages: 130 }])

        const chargeLedger = yield* simulator.books
        assert.strictEqual(yield* simulator.stop("SIGTERM"), 0)
        const written: Books = JSON.parse(readFileSync(charges, "utf8"))
        assert.deepStrictEqual(written, chargeLedger)
        assert.deepInclude(written, { tokens: 130, unauthorized: 0 })
        assert.lengthOf(written.jobs, 1)
        assert.isTrue(written.requests.some(({ fault }) => fault !== null))
      }),
    120_000
  )

  it.live(
    "serves a pipeline that never pays twice for a lost answer, and ends cleanly on SIGINT",
    () =>
      Effect.gen(function* () {
        const simulator = yield* startSimulator(["--pages", "60", "--rate-lost-post", "1", "--list-lag", "2"])
        const sink = memorySink()
        const pipeline = Pipeline.make({
          name: "lost",
          source: Crawl.make({ url: simulator.site }),
          sinks: [sink.sink]
        })
        const options = { reader: atOnce, adoption: { lag: "30 millis", pause: "5 millis" } } as const
        const receipt = yield* Pipeline.run(pipeline, options).pipe(Effect.provide(clientOf(simulator)))
        const { jobs, tokens } = yield* simulator.books
        assert.deepStrictEqual([receipt.status, sink.pages.size, jobs.length, tokens], ["completed", 60, 1, 60])
        assert.strictEqual(yield* simulator.stop("SIGINT"), 0)
      }),
    60_000
  )

  it.live(
    "has an account that can be empty",
    () =>
      Effect.gen(function* () {
        const simulator = yield* startSimulator(["--balance", "0"])
        const pipeline = Pipeline.make({
          name: "broke",
          source: Crawl.make({ url: simulator.site }),
          sinks: [memorySink().sink]
        })
        const { receipt } = yield* Pipeline.execute(pipeline).pipe(Effect.provide(clientOf(simulator)))
        assert.strictEqual(receipt.status, "stopped_budget")
        assert.deepInclude(yield* simulator.books, { tokens: 0, jobs: [] })
      }),
    60_000
  )

  it.live(
    "refuses flags that make no sense, and is as its guide says",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const refused = yield* run(["--rate-429", "2"], { cwd, entry: simulatorEntry })
        assert.strictEqual(refused.code, 1)
        const { stdout } = yield* run(["--help"], { cwd, entry: simulatorEntry })
        const guide = readFileSync(new URL("../../docs/how-to/test-pipelines.md", import.meta.url), "utf8")
        const named = [...guide.matchAll(/(?<=[\s`])--[a-z][a-z0-9-]+/g)].map(([flag]) => flag)
        assert.isAbove(named.length, 20)
        for (const flag of named) assert.include(stdout, `${flag} `)
        const example = readFileSync(new URL("../../docs/examples/simulator.test.ts", import.meta.url), "utf8")
        assert.include(guide, `\`\`\`ts\n${example}\`\`\`\n`)
      }),
    60_000
  )
})

const clientOf = ({ apiKey, baseUrl }: { readonly apiKey: string; readonly baseUrl: string }) =>
  Scraper.layer({ baseUrl, apiKey: Redacted.make(apiKey), retryBase: "1 millis" }).pipe(
    Layer.provide(FetchHttpClient.layer)
  )
