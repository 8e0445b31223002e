import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Effect } from "effect"
import { assertNoCanaryIn, assertRefused, canary, directory, filesIn, run } from "./Cli.ts"
import { closedPort, type Handler, serveHttp } from "./Site.ts"
import { dump, testDatabase } from "./TestDatabase.ts"

const pipeline = `name: quotes
source:
  crawl: { url: https://quotes.example/ }
sinks:
  - postgres: { url: $DATABASE_URL }
`

/** A working directory with a pipeline, and an environment that names a database, an API and the canary as its key. */
const setUp = Effect.fnUntraced(function* (baseUrl: string, databaseUrl: string) {
  const cwd = yield* directory
  writeFileSync(join(cwd, "sluice.yaml"), pipeline)
  const env = { SCRAPER_API_BASE_URL: baseUrl, GEONODE_SCRAPER_API_KEY: canary.apiKey, DATABASE_URL: databaseUrl }
  return { cwd, env }
})

/** A run that began and failed: one sentence beside the receipt, and nothing in the tables but the run itself. */
const assertFailed = Effect.fnUntraced(function* (
  baseUrl: string,
  code: number,
  says: string,
  ...flags: ReadonlyArray<string>
) {
  const database = yield* testDatabase()
  const options = yield* setUp(baseUrl, database.url)
  const finished = yield* run(["run", "--json", ...flags], options)
  const lines = finished.stderr.trimEnd().split("\n")
  assert.deepStrictEqual(flags.length === 0 ? lines : lines.filter((line) => !line.startsWith("{")), [
    `sluice: failed: ${says}`
  ])
  assert.strictEqual(finished.code, code)
  const receipt: Receipt = JSON.parse(finished.stdout)
  assert.deepInclude(receipt, { status: "failed", reason: says, jobs: [] })
  assert.deepInclude(receipt.pages, { delivered: 0 })

  const tables = yield* dump(database)
  const written = tables.filter(({ name, rows }) => rows.length > 0 && name !== "sluice_migrations")
  assert.deepStrictEqual(
    written.map(({ name, rows }) => [name, rows.length]),
    [["runs", 1]]
  )
  for (const secret of Object.values(canary)) assert.notInclude(JSON.stringify(written), secret)
  assertNoCanaryIn(options.cwd)
})

const answer =
  (status: number, type: string, body: string): Handler =>
  (_, response) =>
    response.writeHead(status, type === "" ? {} : { "content-type": type }).end(body)

const envelope = JSON.stringify({
  error: "unauthorized",
  message: `Invalid API key ${canary.apiKey}`,
  code: 401,
  timestamp: "2026-01-01T00:00:00Z"
})
const refusedKey = "refused the API key: check GEONODE_SCRAPER_API_KEY (start crawl)"
const html =
  "gave an answer that cannot be read: it answered HTML, not JSON; check that the base URL is that of a Scraper API (start crawl)"

describe("a Scraper API that", { concurrent: true }, () => {
  const answers: ReadonlyArray<readonly [string, Handler, string]> = [
    ["refuses the key with an envelope", answer(401, "application/json", envelope), refusedKey],
    ["refuses the key with an empty body", answer(401, "", ""), refusedKey],
    ["answers HTML", answer(200, "text/html; charset=utf-8", "<h1>Welcome</h1>"), html],
    ["answers an HTML page that says not found", answer(404, "text/html", "<h1>Not found</h1>"), html]
  ]
  for (const [title, handler, says] of answers) {
    it.live(
      title,
      () =>
        Effect.gen(function* () {
          const origin = yield* serveHttp(handler)
          yield* assertFailed(origin, 2, `the Scraper API at ${origin} ${says}`)
        }),
      120_000
    )
  }

  it.live(
    "cannot be reached",
    () =>
      Effect.gen(function* () {
        const origin = `http://127.0.0.1:${yield* closedPort}`
        yield* assertFailed(origin, 1, `the Scraper API at ${origin} cannot be reached: ECONNREFUSED (start crawl)`)
      }),
    120_000
  )

  it.live(
    "refuses the key leaves no trace of it in the logs, however much is logged",
    () =>
      Effect.gen(function* () {
        const asked: Array<string | undefined> = []
        const origin = yield* serveHttp((request, response) => {
          asked.push(request.headers["x-api-key"]?.toString())
          answer(401, "application/json", envelope)(request, response)
        })
        yield* assertFailed(origin, 2, `the Scraper API at ${origin} ${refusedKey}`, "--log-level", "all")
        // The job list first, then the submission.
        assert.deepStrictEqual(asked, [canary.apiKey, canary.apiKey])
      }),
    120_000
  )
})

describe("the embedded database", () => {
  it.live(
    "keeps nothing of a key either",
    () =>
      Effect.gen(function* () {
        const origin = yield* serveHttp(answer(401, "application/json", envelope))
        const { cwd, env } = yield* setUp(origin, "")
        writeFileSync(join(cwd, "sluice.yaml"), pipeline.replace("{ url: $DATABASE_URL }", "{}"))
        assert.strictEqual((yield* run(["run"], { cwd, env })).code, 2)
        assert.include(filesIn(cwd), ".sluice/postgres/PG_VERSION")
        assertNoCanaryIn(cwd)
      }),
    120_000
  )
})

describe("an address of a Scraper API that", { concurrent: true }, () => {
  const addresses = [
    ["is no URL", "scraper", "SCRAPER_API_BASE_URL is not an absolute URL such as https://host"],
    ["is not http", "ftp://scraper.example", "SCRAPER_API_BASE_URL is not http or https"],
    [
      "carries credentials",
      `http://me:${canary.password}@scraper.example`,
      "SCRAPER_API_BASE_URL must not carry credentials"
    ]
  ] as const
  for (const [title, address, says] of addresses) {
    it.live(
      title,
      () =>
        Effect.gen(function* () {
          const options = yield* setUp(address, "postgres://127.0.0.1:1/none")
          assertRefused(yield* run(["run"], options), 2, says)
          assert.deepStrictEqual(filesIn(options.cwd), ["sluice.yaml"])
        }),
      120_000
    )
  }

  it.live(
    "has no key beside it",
    () =>
      Effect.gen(function* () {
        const { cwd, env } = yield* setUp("https://scraper.example", "postgres://127.0.0.1:1/none")
        assertRefused(
          yield* run(["run"], { cwd, env: { ...env, GEONODE_SCRAPER_API_KEY: "" } }),
          2,
          "a base URL is set and no API key: set GEONODE_SCRAPER_API_KEY, or unset SCRAPER_API_BASE_URL to use the embedded scraper"
        )
        assert.deepStrictEqual(filesIn(cwd), ["sluice.yaml"])
      }),
    120_000
  )
})
