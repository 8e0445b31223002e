import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { crawlHistory, makeSite, Simulator } from "@sluice/testkit"
import { Effect, Redacted } from "effect"
import { canary, directory } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"
import { testDatabase } from "./TestDatabase.ts"

const pages = 40
const site = makeSite({ pages })

/** A pipeline into a database, an API, and `sluice` for them. */
const setUp = Effect.gen(function* () {
  const simulator = yield* Simulator.make({ site, crawl: () => crawlHistory(site, { perPoll: pages }) })
  const database = yield* testDatabase()
  const home = yield* directory
  const file = join(home, "quotes.yaml")
  writeFileSync(
    file,
    `name: quotes
source:
  crawl: { url: "https://site.test/" }
sinks:
  - postgres: { url: $DATABASE_URL }
`
  )
  const env = {
    SCRAPER_API_BASE_URL: simulator.baseUrl,
    GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey),
    DATABASE_URL: database.url
  }
  const sluice = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
    const { code, stderr, stdout } = yield* inProcess(args, env)
    const receipt: Receipt = stdout.startsWith("{") ? JSON.parse(stdout) : undefined
    return { code, stderr, stdout, receipt }
  })
  const loseLedger = Effect.andThen(
    database.rows("DROP SCHEMA public CASCADE"),
    database.rows(`CREATE SCHEMA public AUTHORIZATION ${new URL(database.url).username}`)
  )
  return { simulator, home, file, sluice, loseLedger, posts: () => simulator.charges.received("POST") }
})

describe("a ledger that was lost", () => {
  it.live(
    "is noticed by the marks beside it: exit 5 before anything is paid; adopted, its job lands; the bill names what it lacks",
    () =>
      Effect.gen(function* () {
        const { file, home, loseLedger, posts, simulator, sluice } = yield* setUp
        const first = yield* sluice("run", file, "--json")
        assert.strictEqual(first.code, 0, first.stderr)
        const marks = join(home, ".sluice", "marks")
        const text = readFileSync(join(marks, "quotes.json"), "utf8")
        assert.include(text, first.receipt.run_id)
        for (const secret of [canary.password, "postgres://", "127.0.0.1"]) assert.notInclude(text, secret)

        yield* loseLedger
        const { jobId } = simulator.charges.jobs[0]!
        const halted = yield* sluice("run", file, "--json")
        assert.strictEqual(halted.code, 5, halted.stderr)
        assert.include(
          halted.stderr,
          `this ledger lacks run ${first.receipt.run_id}, which began at ${first.receipt.started_at} (has it been restored from a backup?)`
        )
        assert.include(
          halted.stderr,
          `a job of the same request that no run explains (crawl of https://site.test/): ${jobId}`
        )
        const runId = halted.receipt.run_id
        assert.include(halted.stderr, `decide with: sluice resume ${runId} ${file} --adopt JOB_ID, or --resubmit`)
        assert.strictEqual(posts(), 1)

        const adopted = yield* sluice("resume", runId, file, "--adopt", jobId, "--json")
        assert.strictEqual(adopted.code, 0, adopted.stderr)
        assert.deepInclude(adopted.receipt.pages, { delivered: pages })
        assert.strictEqual(adopted.receipt.jobs[0]?.job_id, jobId)
        assert.deepStrictEqual([posts(), simulator.charges.tokens], [1, pages])
        assert.include(readFileSync(join(marks, "quotes.json"), "utf8"), runId)

        const paid = yield* sluice("audit", "--account", file)
        assert.strictEqual(paid.code, 0, paid.stdout)
        assert.include(paid.stdout, "account: no charge in 30 days that runs do not explain")

        // `--fresh` pays again.
        yield* loseLedger
        const fresh = yield* sluice("run", file, "--fresh", "--json")
        assert.strictEqual(fresh.code, 0, fresh.stderr)
        assert.strictEqual(posts(), 2)

        const billed = yield* sluice("audit", "--account", file, "--days", "2")
        assert.strictEqual(billed.code, 6, billed.stdout)
        assert.include(billed.stdout, `the API has charged ${2 * pages} tokens, of which runs explain ${pages}`)
        assert.match(billed.stdout, /^day +charged +explained +unexplained +missing +runs\n/)
        assert.include(billed.stdout, `run ${fresh.receipt.run_id} of quotes: ${pages} tokens`)
        const json = JSON.parse((yield* sluice("audit", "--account", file, "--json")).stdout)
        assert.deepInclude(json, { charged: 2 * pages, explained: pages, unexplained: pages, missing: 0 })
        assert.strictEqual(json.findings[0]?.kind, "differs")
      }),
    120_000
  )
})
