import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Deferred, Effect } from "effect"
import { assertNoCanaryIn, assertRefused, canary, directory, run, runJson, start } from "./Cli.ts"
import { page, serveHttp, servePages } from "./Site.ts"
import { dump, testDatabase } from "./TestDatabase.ts"

/** A working directory with a pipeline that crawls a site of ours into a fresh database. */
const setUp = Effect.fnUntraced(function* (site: string) {
  const database = yield* testDatabase()
  const cwd = yield* directory
  writeFileSync(
    join(cwd, "sluice.yaml"),
    `name: site
source:
  crawl: { url: "${site}/", depth: 3 }
sinks:
  - postgres: { url: $DATABASE_URL }
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`
  )
  return { database, options: { cwd, alone: true, env: { DATABASE_URL: database.url } } }
})

const site = servePages({
  "/": page("home", "/a", "/b", "/gone"),
  "/a": page("a", "/b", "https://elsewhere.example/#part"),
  "/b": page("b")
})

describe("run", { concurrent: true }, () => {
  it.live(
    "prints one receipt as JSON, which the tables agree with, and nothing else",
    () =>
      Effect.gen(function* () {
        const { database, options } = yield* setUp(yield* site)
        const { code, stderr, stdout } = yield* run(["run", "sluice.yaml", "--json"], options)
        assert.strictEqual(stderr, "")
        assert.strictEqual(code, 0)
        assert.match(stdout, /^\{.*\}\n$/)
        const receipt: Receipt = JSON.parse(stdout)
        assert.hasAllKeys(receipt, [
          "run_id",
          "pipeline",
          "config_hash",
          "status",
          "started_at",
          "finished_at",
          "jobs",
          "pages",
          "tokens",
          "sinks",
          "requests",
          "failures"
        ])
        assert.deepInclude(receipt, {
          pipeline: "site",
          status: "completed",
          pages: { discovered: 4, completed: 3, failed: 1, cancelled: 0, delivered: 4 },
          tokens: { charged: 3, reserved: 0 },
          sinks: [
            {
              name: "postgres",
              kind: "postgres",
              rows: { pages: 4, links: 5, page_metadata: 4, token_summaries: 1 },
              dead_letters: 0
            }
          ]
        })
        const [failure, ...otherFailures] = receipt.failures ?? []
        assert.lengthOf(otherFailures, 0)
        assert.deepInclude(failure, { code: "HTTP_ERROR", http_status: 404, count: 1 })
        assert.match(failure?.urls.join() ?? "", /^http:\/\/127\.0\.0\.1:\d+\/gone$/)
        assert.lengthOf(receipt.jobs, 1)
        assert.hasAllKeys(receipt.jobs[0], ["job_id", "kind", "url", "status"])
        assert.hasAllKeys(receipt.requests, ["submitted", "reads", "retries"])
        assert.strictEqual(receipt.requests.submitted, 1)
        for (const instant of [receipt.started_at, receipt.finished_at]) {
          assert.strictEqual(new Date(instant).toISOString(), instant)
        }

        const counts = (yield* dump(database)).map(({ name, rows }) => [name, rows.length])
        assert.includeDeepMembers(counts, [
          ["pages", 4],
          ["links", 5],
          ["page_metadata", 4],
          ["token_summaries", 1],
          ["runs", 1],
          ["jobs", 1],
          ["submissions", 1],
          ["dead_letters", 0]
        ])
        const [listed, ...others] = yield* runJson<ReadonlyArray<Record<string, unknown>>>(["runs", "--json"], options)
        assert.deepStrictEqual(others, [])
        assert.strictEqual(listed?.duration_ms, Date.parse(receipt.finished_at) - Date.parse(receipt.started_at))
        assert.deepStrictEqual(listed, {
          run_id: receipt.run_id,
          pipeline: "site",
          config_hash: receipt.config_hash,
          status: "completed",
          started_at: receipt.started_at,
          finished_at: receipt.finished_at,
          duration_ms: listed?.duration_ms,
          pages: 4,
          failed_pages: 1,
          tokens: 3
        })
        const prefix = receipt.run_id.slice(0, 11)
        const shown = yield* runJson<Receipt>(["show", prefix, "--json"], options)
        assert.deepStrictEqual(shown, receipt)
        assert.strictEqual(
          (yield* run(["show", "last"], options)).stdout.split("\n")[0],
          `run        ${receipt.run_id}`
        )
        assert.strictEqual((yield* run(["audit", prefix], options)).code, 0)
        assert.deepStrictEqual(yield* runJson(["runs", "--json", "--status", "failed"], options), [])
        assert.deepStrictEqual(yield* runJson(["runs", "--json", "--since", "2200-01-01"], options), [])
        assert.lengthOf(
          yield* runJson<ReadonlyArray<unknown>>(
            ["runs", "--json", "--pipeline", "site", "--since", "1h", "--status", "completed"],
            options
          ),
          1
        )
        // A second run, which makes a common prefix ambiguous.
        const second = yield* runJson<Receipt>(["run", "--json"], options)
        assertRefused(
          yield* run(["show", "0"], options),
          2,
          `"0" is the beginning of several run IDs: ${second.run_id}, ${receipt.run_id}; write more of it`
        )
        assertRefused(
          yield* run(["resume", "ffff"], options),
          2,
          'there is no run whose ID begins with "ffff": see sluice runs'
        )
      }),
    120_000
  )

  it.live(
    "prints a receipt for people, in plain text where nobody watches",
    () =>
      Effect.gen(function* () {
        const { database, options } = yield* setUp(yield* site)
        const loud = yield* run(["run", "--log-level", "all"], options)
        assert.strictEqual(loud.code, 0)
        assert.notInclude(loud.stdout + loud.stderr, "\u001b")
        assert.notInclude(loud.stdout + loud.stderr, "\r")
        for (const line of loud.stderr.trimEnd().split("\n")) assert.match(line, /^(?:\{.*\}|pages .*|connecting .*|)$/)
        assert.match(
          loud.stdout,
          /^run {8}[0-9a-f-]{36}\npipeline {3}site \(config [0-9a-f]{12}\)\nstatus {5}completed, after /
        )
        assert.match(loud.stdout, /\nsink postgres 4 pages, 5 links, 4 page_metadata, 1 token_summaries\n$/)

        const listed = yield* run(["runs"], options)
        assert.match(
          listed.stdout,
          /^RUN {35}STARTED {15}DURATION {2}STATUS {5}PAGES {2}FAILED {2}TOKENS {2}PIPELINE {2}REASON\n[0-9a-f-]{36} {2}\S+Z +\d+ s {2}completed +4 +1 +3 {2}site\n$/
        )

        const tables = JSON.stringify(yield* dump(database))
        for (const secret of Object.values(canary)) assert.notInclude(tables, secret)
        assertNoCanaryIn(options.cwd)
      }),
    120_000
  )

  it.live(
    "is gone on with after kill -9 by the next run: one run, one job, no page twice",
    () =>
      Effect.gen(function* () {
        const reached = yield* Deferred.make<void>()
        let isSlow = true
        const site = yield* serveHttp((request, response) => {
          const answer = (body: string) => response.writeHead(200, { "content-type": "text/html" }).end(body)
          if (request.url === "/") return void answer(page("home", "/a", "/slow"))
          if (request.url === "/a") return void answer(page("a"))
          if (request.url !== "/slow") return void response.writeHead(404).end()
          if (!isSlow) return void answer(page("slow"))
          isSlow = false
          Deferred.doneUnsafe(reached, Effect.void)
        })
        const { database, options } = yield* setUp(site)
        const killed = yield* start(["run", "--json"], options)
        yield* Deferred.await(reached)
        killed.signal("SIGKILL")
        yield* killed.finished
        const [left] = yield* database.rows<{ run_id: string }>("SELECT run_id::text FROM runs")
        const receipt = yield* runJson<Receipt>(["run", "--json"], options)
        assert.deepInclude(receipt, { run_id: left!.run_id, status: "completed" })
        assert.deepInclude(receipt.pages, { completed: 3, delivered: 3 })
        assert.lengthOf(receipt.jobs, 1)
        const [counts] = yield* database.rows(
          `SELECT (SELECT count(*) FROM runs)::int AS runs, (SELECT count(*) FROM submissions)::int AS submissions,
             (SELECT count(*) FROM pages)::int AS pages, (SELECT epoch FROM runs) AS epoch`
        )
        assert.deepStrictEqual(counts, { runs: 1, submissions: 1, pages: 3, epoch: 2 })
      }),
    120_000
  )

  it.live(
    "ends as interrupted on Ctrl-C, and says so in the list of runs",
    () =>
      Effect.gen(function* () {
        const reached = yield* Deferred.make<void>()
        const hanging = yield* serveHttp((request, response) => {
          if (request.url === "/") response.writeHead(200, { "content-type": "text/html" }).end(page("home", "/slow"))
          else if (request.url === "/slow") Deferred.doneUnsafe(reached, Effect.void)
          else response.writeHead(404).end()
        })
        const { database, options } = yield* setUp(hanging)
        const running = yield* start(["run", "--json"], options)
        yield* Deferred.await(reached)
        running.signal("SIGINT")
        const { code, stderr, stdout } = yield* running.finished
        assert.strictEqual(stderr, "sluice: interrupted; what has landed stays, and the next run resumes this one\n")
        const receipt: Receipt = JSON.parse(stdout)
        assert.deepInclude(receipt, { status: "interrupted", pipeline: "site" })
        assert.strictEqual(code, 130)
        const listed = yield* runJson<ReadonlyArray<Record<string, unknown>>>(["runs", "--json"], options)
        assert.deepStrictEqual(
          listed.map(({ pages, status, tokens }) => ({ pages, status, tokens })),
          [{ pages: receipt.pages.delivered, status: "interrupted", tokens: receipt.tokens.charged }]
        )
        const audited = yield* run(["audit", receipt.run_id, "--no-api"], options)
        assertRefused(
          audited,
          4,
          `run ${receipt.run_id} has not ended, so there is nothing to audit yet: let it end, or resume it with "sluice resume ${receipt.run_id}"`
        )
        assert.deepStrictEqual(yield* database.rows("SELECT finished_at, holder FROM runs"), [
          { finished_at: null, holder: null }
        ])
      }),
    120_000
  )

  it.live(
    "says on Ctrl-C before anything was submitted that nothing was paid for",
    () =>
      Effect.gen(function* () {
        const asked = yield* Deferred.make<void>()
        const api = yield* serveHttp((request) => {
          if (request.url?.includes("/jobs") === true) Deferred.doneUnsafe(asked, Effect.void)
        })
        const { options } = yield* setUp("https://site.example")
        const env = { ...options.env, SCRAPER_API_BASE_URL: api, GEONODE_SCRAPER_API_KEY: "key" }
        const running = yield* start(["run"], { ...options, env })
        yield* Deferred.await(asked)
        running.signal("SIGINT")
        assert.deepStrictEqual(yield* running.finished, {
          code: 130,
          stdout: "",
          stderr: "sluice: interrupted before anything was submitted; nothing was paid for\n"
        })
      }),
    120_000
  )

  it.live(
    "does not fetch from this machine unless the file says that it may",
    () =>
      Effect.gen(function* () {
        const origin = yield* site
        const { options } = yield* setUp(origin)
        writeFileSync(
          join(options.cwd, "sluice.yaml"),
          `name: site\nsource:\n  crawl: { url: "${origin}/" }\nsinks:\n  - postgres: { url: $DATABASE_URL }\n`
        )
        const { code, stderr, stdout } = yield* run(["run", "--json"], options)
        assert.strictEqual(code, 1)
        assert.match(
          stderr,
          /^sluice: failed: the API ended job [0-9a-f-]{36} as failed; failed: 1 page with BLOCKED_TARGET\n$/
        )
        const receipt: Receipt = JSON.parse(stdout)
        assert.include(receipt.failures?.[0]?.hint, "embedded.allow_private_targets")
        assert.deepInclude(receipt.pages, { discovered: 1, completed: 0, failed: 1 })
        const rows = yield* runJson(["query", "--json", "SELECT status, error_code FROM pages"], options)
        assert.deepStrictEqual(rows, [{ status: "failed", error_code: "BLOCKED_TARGET" }])
      }),
    120_000
  )

  it.live(
    "refuses a second run in the same directory while the embedded scraper of the first is at work",
    () =>
      Effect.gen(function* () {
        const reached = yield* Deferred.make<void>()
        const hanging = yield* serveHttp((request, response) => {
          if (request.url === "/") Deferred.doneUnsafe(reached, Effect.void)
          else response.writeHead(404).end()
        })
        const { database, options } = yield* setUp(hanging)
        yield* start(["run", "--json"], options)
        yield* Deferred.await(reached)
        assertRefused(
          yield* run(["run"], options),
          1,
          /^sluice: the embedded scraper could not start: The state directory .*scraper is in use by process .*/
        )
        assert.lengthOf(yield* database.rows("SELECT 1 FROM runs"), 1)
      }),
    120_000
  )
})
