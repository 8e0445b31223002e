import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import {
  crawlHistory,
  type FaultRule,
  forgottenBetween,
  type JobHistory,
  laggingResults,
  makeSite,
  Simulator,
  type SimulatorOptions,
  vanishingAt
} from "@sluice/testkit"
import { Effect, Redacted } from "effect"
import { directory, run } from "./Cli.ts"
import { testDatabase } from "./TestDatabase.ts"

const timeout = 300_000
const pages = 60
const site = makeSite({ pages, seed: 7 })
const crawled = () => crawlHistory(site, { perPoll: 20 })

/** A pipeline file, an API and a database; `sluice` runs the real command line there, and reads what it printed. */
const setUp = Effect.fnUntraced(function* (
  options: SimulatorOptions,
  file: { readonly source?: string; readonly api?: string; readonly more?: string } = {}
) {
  const simulator = yield* Simulator.make({ site, crawl: crawled, ...options })
  const database = yield* testDatabase()
  const cwd = yield* directory
  const { api = "settle_time: 3s, give_up_after: 30s", more = "", source = "crawl: { url: https://site.test/ }" } = file
  writeFileSync(
    join(cwd, "sluice.yaml"),
    `name: strange\nsource:\n  ${source}\nsinks:\n  - postgres: { url: $DATABASE_URL }\napi: { ${api} }\n${more}`
  )
  const env = {
    SCRAPER_API_BASE_URL: simulator.baseUrl,
    GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey),
    DATABASE_URL: database.url
  }
  const sluice = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
    const { code, stderr, stdout } = yield* run(args, { cwd, env, alone: args[0] === "resume" })
    const receipt: Receipt | undefined = stdout.startsWith("{") ? JSON.parse(stdout) : undefined
    return { code, stderr, stdout, receipt: receipt! }
  })
  const landed = database
    .rows<{ n: string }>("SELECT count(*)::text AS n FROM current_pages")
    .pipe(Effect.map(([row]) => Number(row?.n)))
  return { simulator, sluice, landed, posts: () => simulator.charges.received("POST") }
})

const get = (nth: ReadonlyArray<number>, fault: FaultRule["fault"]): FaultRule => ({ method: "GET", nth, fault })

describe("the command line against an API that misbehaves", { concurrent: true }, () => {
  // First, since it waits longest: half a minute for a job list that may lag.
  it.live(
    "halts with 5 where the job list lacks a job that exists, instead of paying twice",
    () =>
      Effect.gen(function* () {
        const urls = ["https://site.test/p/1", "https://site.test/p/2"]
        const { posts, sluice } = yield* setUp(
          { listing: "shows none", faults: [{ method: "POST", nth: [2], fault: { _tag: "Lost" } }] },
          { source: `extract: { urls: ${JSON.stringify(urls)}, concurrency: 1 }` }
        )
        const { code, receipt } = yield* sluice("run", "--json")
        assert.strictEqual(code, 5)
        assert.include(receipt.reason, "cannot be relied on: it lacks job")
        assert.strictEqual(posts(), 2)
      }),
    timeout
  )

  const recovered: ReadonlyArray<readonly [string, SimulatorOptions]> = [
    ["a stray 404 on a known job", { faults: [get([3, 4], { _tag: "Status", status: 404 })] }],
    ["a job that is forgotten for some polls", { crawl: () => forgottenBetween(2, 6, crawled()) }],
    ["three seconds of 503", { faults: [get([2, 3, 4, 5, 6, 7], { _tag: "Status", status: 503 })] }],
    [
      "a 401, an HTML page and a redirect in the middle",
      {
        faults: [
          get([2], { _tag: "Status", status: 401 }),
          get([4], { _tag: "Html" }),
          get([6], { _tag: "Redirect", location: "https://login.test/" })
        ]
      }
    ],
    ["another job's answers for a moment", { faults: [get([3, 4], { _tag: "OtherJob" })] }],
    ["results that lag behind the counters", { crawl: () => laggingResults(6, crawled()) }],
    ["ten rows a slice, whatever is asked for", { paging: { rows: 10 } }]
  ]
  for (const [what, options] of recovered) {
    it.live(
      `completes despite ${what}`,
      () =>
        Effect.gen(function* () {
          const { landed, posts, sluice } = yield* setUp(options)
          const { code, receipt, stderr } = yield* sluice("run", "--json")
          assert.strictEqual(code, 0, stderr)
          assert.deepInclude(receipt.pages, { delivered: pages, discovered: pages })
          assert.strictEqual(yield* landed, pages)
          assert.strictEqual(posts(), 1)
        }),
      timeout
    )
  }

  it.live(
    "reads an incomplete run again without a POST, once by run and always by resume, and says so",
    () =>
      Effect.gen(function* () {
        const job = { isBack: false }
        const history: JobHistory = { at: (poll) => (job.isBack ? crawled() : vanishingAt(2, crawled())).at(poll) }
        const { landed, posts, sluice } = yield* setUp({ crawl: () => history })
        const first = yield* sluice("run", "--json")
        assert.strictEqual(first.code, 4)
        assert.include(first.stderr, "was known to the API and is not any more")
        const second = yield* sluice("run", "--json")
        assert.strictEqual(second.code, 4)
        assert.strictEqual(second.receipt.run_id, first.receipt.run_id)
        assert.include(second.stderr, "its jobs are read again, and nothing is submitted")
        job.isBack = true
        const third = yield* sluice("resume", first.receipt.run_id, "--json")
        assert.strictEqual(third.code, 0, third.stderr)
        assert.deepInclude(third.receipt.supersedes, { status: "incomplete", finished_at: second.receipt.finished_at })
        assert.strictEqual(yield* landed, pages)
        assert.strictEqual(posts(), 1)
        const runs = yield* sluice("runs")
        assert.include(runs.stdout, `supersedes incomplete of ${first.receipt.finished_at}`)
        const audit = yield* sluice("audit", first.receipt.run_id)
        assert.strictEqual(audit.code, 0, audit.stdout)
        assert.include(audit.stdout, `it supersedes the receipt of ${second.receipt.finished_at} (incomplete)`)
      }),
    timeout
  )

  it.live(
    "ends incomplete where page is ignored, within a bounded number of reads",
    () =>
      Effect.gen(function* () {
        const { posts, simulator, sluice } = yield* setUp({ paging: "ignores page" })
        const { code, receipt } = yield* sluice("run", "--json")
        assert.strictEqual(code, 4)
        assert.include(receipt.reason, "50 could be read")
        assert.isBelow(simulator.charges.received("GET"), 300)
        assert.strictEqual(posts(), 1)
      }),
    timeout
  )

  it.live(
    "exits with 1, never 2, on a key that is refused in the middle of a paid run, and goes on later",
    () =>
      Effect.gen(function* () {
        const { landed, posts, simulator, sluice } = yield* setUp(
          { faults: [{ method: "GET", path: "/v1/crawl", fault: { _tag: "Status", status: 401 } }] },
          { api: "give_up_after: 3s" }
        )
        const { code, receipt } = yield* sluice("run", "--json")
        assert.strictEqual(code, 1)
        assert.include(receipt.reason, "refused the API key")
        assert.match(receipt.reason!, /for \d+ seconds on end/)
        simulator.faults.clear()
        assert.strictEqual((yield* sluice("run", "--json")).code, 0)
        assert.strictEqual(yield* landed, pages)
        assert.strictEqual(posts(), 1)
      }),
    timeout
  )

  it.live(
    "exits with 2 where the key is refused before anything is paid",
    () =>
      Effect.gen(function* () {
        const { posts, simulator, sluice } = yield* setUp({
          faults: [{ method: "POST", fault: { _tag: "Status", status: 401 } }]
        })
        assert.strictEqual((yield* sluice("run")).code, 2)
        assert.deepStrictEqual([posts(), simulator.charges.jobs.length], [1, 0])
      }),
    timeout
  )

  it.live(
    "cancels at the budget until the job has ended, and lands what was paid for",
    () =>
      Effect.gen(function* () {
        const { landed, posts, simulator, sluice } = yield* setUp(
          {
            crawl: () => crawlHistory(site, { perPoll: 2 }),
            faults: [{ method: "DELETE", nth: [1], fault: { _tag: "Status", status: 500 } }]
          },
          { more: "budget: { tokens: 6, clamp: false }\n" }
        )
        const { code, receipt } = yield* sluice("run", "--json")
        assert.strictEqual(code, 3)
        assert.deepInclude(receipt.jobs[0], { status: "cancelled" })
        assert.strictEqual(simulator.charges.received("DELETE"), 2)
        assert.strictEqual(receipt.tokens.charged, simulator.charges.tokens)
        assert.isAtLeast(yield* landed, simulator.charges.tokens)
        assert.strictEqual(posts(), 1)
      }),
    timeout
  )

  it.live(
    "lands what is paid for and in work where the balance is used up",
    () =>
      Effect.gen(function* () {
        const urls = Array.from({ length: 12 }, (_, at) => `https://site.test/p/${at + 1}`)
        const { landed, posts, simulator, sluice } = yield* setUp(
          {
            extract: () => ({ polls: 4 }),
            faults: [{ method: "POST", nth: [9], fault: { _tag: "Status", status: 402 } }]
          },
          { source: `extract: { urls: ${JSON.stringify(urls)}, concurrency: 4 }` }
        )
        const { code, receipt } = yield* sluice("run", "--json")
        assert.strictEqual(code, 3)
        // Up to three submissions were under way when the ninth was refused: each of them may have made a job.
        const jobs = simulator.charges.jobs.length
        assert.strictEqual(posts(), jobs + 1)
        assert.isAtLeast(jobs, 8)
        assert.isAtMost(jobs, 11)
        assert.strictEqual(yield* landed, jobs)
        assert.deepInclude(receipt.pages, { delivered: jobs })
        assert.strictEqual(receipt.tokens.charged, simulator.charges.tokens)
      }),
    timeout
  )
})
