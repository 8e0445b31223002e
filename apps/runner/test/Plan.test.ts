import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Plan } from "@sluice/core/types"
import { makeSite, Simulator } from "@sluice/testkit"
import { Effect, Redacted } from "effect"
import { assertRefused, directory, filesIn } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"

const setUp = Effect.fnUntraced(function* (source = '{ crawl: { url: "https://site.test/", limit: 12 } }') {
  const simulator = yield* Simulator.make({ site: makeSite({ pages: 12 }) })
  const cwd = yield* directory
  const file = join(cwd, "site.yaml")
  writeFileSync(
    file,
    `name: site\nsource: ${source}\nsinks:\n  - postgres: { mode: replace }\n  - directory: { path: ./lake }\nbudget: { per_day: 40 }\n`
  )
  const env = {
    SCRAPER_API_BASE_URL: simulator.baseUrl,
    GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
  }
  const sluice = (...args: ReadonlyArray<string>) => inProcess(args, env)
  const plan = Effect.map(sluice("plan", file, "--json"), ({ code, stderr, stdout }): Plan => {
    assert.deepStrictEqual([code, stderr], [0, ""])
    return JSON.parse(stdout)
  })
  return { simulator, cwd, file, plan, sluice }
})

describe("plan", { concurrent: true }, () => {
  it.live(
    "writes nothing and asks nothing; its run does as it says, and no run does another plan",
    () =>
      Effect.gen(function* () {
        const { cwd, file, plan, simulator, sluice } = yield* setUp()
        const first = yield* plan
        assert.deepStrictEqual([filesIn(cwd), simulator.charges.requests.length], [["site.yaml"], 0])
        assert.deepInclude(first, { action: "begin", api: simulator.baseUrl, pipeline: "site" })
        assert.deepInclude(first.cost, { most: 12, because: "source.crawl.limit", last: [] })
        assert.deepStrictEqual(first.budget, [{ bound: "per_day", most: 40, spent: 0, left: 40 }])
        assert.strictEqual((yield* sluice("run", file, "--plan", "--json")).stdout, `${JSON.stringify(first)}\n`)

        const other = "0123456789abcdef"
        assertRefused(
          yield* sluice("run", file, "--expect-plan", other),
          2,
          `the plan is ${first.hash}, and not ${other} as expected: look at it with "sluice plan ${file}". Nothing was paid for`
        )
        assertRefused(
          yield* sluice("run", file, "--expect-plan", "012"),
          2,
          /^sluice: Invalid value for flag --expect-plan: .*; see: sluice run --help$/
        )
        assert.deepStrictEqual([filesIn(cwd), simulator.charges.requests.length], [["site.yaml"], 0])

        const ran = yield* sluice("run", file, "--expect-plan", first.hash.slice(0, 12), "--json")
        assert.strictEqual(ran.code, 0, ran.stderr)
        const { run_id: runId, tokens } = JSON.parse(ran.stdout)
        assert.strictEqual(tokens.charged, first.cost.most)

        const second = yield* plan
        assert.deepInclude(second.cost.last[0], { run_id: runId, status: "completed", tokens: 12 })
        assert.deepStrictEqual(second.budget, [{ bound: "per_day", most: 40, spent: 12, left: 28 }])
        assert.deepStrictEqual(
          second.sinks.map(({ changes, statements }) => [changes, statements]),
          [
            [[{ action: "replace", what: `the 12 completed pages of run ${runId}, once this one has completed` }], []],
            [[{ action: "add", what: "the parts of the run, beside 1 runs" }], []]
          ]
        )
        const again = yield* sluice("run", file, "--expect-plan", first.hash)
        assert.strictEqual(again.code, 2, again.stderr)
        assert.strictEqual(simulator.charges.tokens, 12)
      }),
    120_000
  )

  it.live("says it all to people, and what would give a bound where none is known", () =>
    Effect.gen(function* () {
      const { file, sluice } = yield* setUp(
        '{ map: { url: "https://site.test/", into: { batch: { batch_size: 5 } } } }'
      )
      const { code, stderr, stdout } = yield* sluice("plan", file, "--ddl")
      assert.deepStrictEqual([code, stderr], [0, ""])
      for (const told of [
        /^action {5}begin a run: no run of the pipeline is open$/m,
        /^requests {3}GET \/v1\/batch\/jobs; POST \/v1\/map, once; POST \/v1\/batch, as often as .*; GET \/v1\/batch\/\{job_id\}, until/m,
        /^cost {7}at most 40 tokens \(the budget: 40 tokens a day, of which other runs have used 0\)$/m,
        /^budget {5}per_day: 40 of 40 left$/m,
        /^sink postgres embedded Postgres in .*, schema "public"$/m,
        /^ {11}executes \d+ statements:\nCREATE TABLE sluice_migrations/m,
        /^plan {7}[0-9a-f]{64}$/m
      ]) {
        assert.match(stdout, told)
      }
      writeFileSync(file, unbounded)
      const { stdout: told } = yield* sluice("plan", file)
      assert.match(told, /^cost {7}no bound known: how many pages the map finds .*; budget\.tokens would give one$/m)
    })
  )
})

const unbounded = `name: site
source: { map: { url: "https://site.test/", into: { extract: {} } } }
sinks: [{ directory: {} }]
`
