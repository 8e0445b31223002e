import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Deferred, Effect } from "effect"
import { assertRefused, canary, directory, filesIn, run, runJson, start } from "../../apps/runner/test/Cli.ts"
import { page, serveHttp, servePages } from "../../apps/runner/test/Site.ts"
import { testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import { askDuckDB } from "../../packages/sink-s3/test/readLake.ts"
import { assertCompleted } from "./Crawled.ts"
import { assertSameRows, lakeOf, viewedBy } from "./lakeRows.ts"

const names = Array.from({ length: 25 }, (_, index) => `/page-${index}`)
const pages = {
  "/": page("home: größe, 漢字, 😀", ...names, "/gone"),
  ...Object.fromEntries(names.map((name) => [name, page(name, "/", `https://elsewhere.example${name}?q=ü`)]))
}

const pipeline = (site: string, sinks: ReadonlyArray<string>) => `name: lake
source:
  crawl: { url: "${site}/", depth: 2, limit: 100 }
sinks:
${sinks.map((sink) => `  - ${sink}`).join("\n")}
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`

/** What the statements of docs/how-to/read-objects.md answer, run by DuckDB on a lake and a pipeline of ours. */
const asDocumented = (root: string, pipeline: string) => {
  const document = readFileSync(new URL("../../docs/how-to/read-objects.md", import.meta.url), "utf8")
  const [, statements = ""] = /^```sql\n(SET VARIABLE.*?)^```$/ms.exec(document) ?? []
  const sql = statements.replace("'lake/'", `'${root}/'`).replace("pipeline=quotes", `pipeline=${pipeline}`)
  return askDuckDB(sql)
}

describe("one crawl into Postgres and into two directories", () => {
  it.live(
    "is the same rows in each, as JSON Lines and as Parquet",
    () =>
      Effect.gen(function* () {
        const site = yield* servePages(pages)
        const database = yield* testDatabase()
        const cwd = yield* directory
        const sinks = [
          "postgres: { url: $DATABASE_URL }",
          "directory: { path: lines, name: lines }",
          "directory: { path: columns, name: columns, format: parquet, success_marker: true }"
        ]
        writeFileSync(join(cwd, "sluice.yaml"), pipeline(site, sinks))
        const options = { cwd, env: { DATABASE_URL: database.url } }
        const receipt = yield* runJson<Receipt>(["run", "--json"], options)
        assertCompleted(receipt)
        const [first, ...others] = receipt.sinks.map(({ rows }) => rows)
        for (const rows of others) assert.deepStrictEqual(rows, first)
        const lakes = {
          lines: yield* lakeOf(cwd, "lines"),
          columns: yield* lakeOf(cwd, "columns"),
          "DuckDB, lines": yield* viewedBy(options, "lines"),
          "DuckDB, columns": yield* viewedBy(options, "columns")
        }
        yield* assertSameRows(options, lakes)
        assert.lengthOf(
          filesIn(join(cwd, "columns")).filter((file) => file.endsWith("_SUCCESS")),
          4
        )
      }),
    120_000
  )
})

describe("a pipeline with a directory alone", { concurrent: true }, () => {
  it.live(
    "remembers its runs in an embedded ledger, keeps one beside the other, and has its garbage removed",
    () =>
      Effect.gen(function* () {
        const site = yield* servePages(pages)
        const cwd = yield* directory
        writeFileSync(join(cwd, "sluice.yaml"), pipeline(site, ["directory: { compression: zstd }"]))
        const one = yield* runJson<Receipt>(["run", "--json"], { cwd })
        const two = yield* runJson<Receipt>(["run", "--json"], { cwd })
        for (const receipt of [one, two]) assertCompleted(receipt)
        const runs = yield* runJson<ReadonlyArray<{ run_id: string; status: string }>>(["runs", "--json"], { cwd })
        assert.deepStrictEqual(
          runs.map(({ run_id, status }) => [run_id, status]),
          [two, one].map(({ run_id }) => [run_id, "completed"])
        )
        const lake = yield* lakeOf(cwd, ".sluice/lake")
        assert.deepStrictEqual(
          lake.runs.map(({ run_id }) => run_id),
          [one.run_id, two.run_id]
        )
        assert.lengthOf(lake.rows("pages"), 2 * one.pages.delivered)

        const found = yield* Effect.promise(() => asDocumented(join(cwd, ".sluice/lake"), "lake"))
        assert.sameMembers(
          found.map(({ url }) => url),
          lake.rows("pages").map(({ url }) => url)
        )

        // Notes of segments are of no use once a run has ended.
        const before = filesIn(join(cwd, ".sluice/lake")).length
        const young = yield* runJson<{ objects: number }>(["gc", "--json"], { cwd, alone: true })
        assert.strictEqual(young.objects, 0)
        const { objects, uploads } = yield* runJson<{ objects: number; uploads: number }>(
          ["gc", "--older-than-hours", "0", "--json"],
          { cwd, alone: true }
        )
        assert.isAtLeast(objects, 2)
        assert.strictEqual(uploads, 0)
        assert.lengthOf(filesIn(join(cwd, ".sluice/lake")), before - objects)
        const after = yield* lakeOf(cwd, ".sluice/lake")
        assert.deepStrictEqual(after.rows("pages"), lake.rows("pages"))
      }),
    120_000
  )

  it.live(
    "is gone on with where it was killed, and pays once",
    () =>
      Effect.gen(function* () {
        const served = yield* Deferred.make<void>()
        let requests = 0
        const site = yield* serveHttp((request, response) => {
          const html = pages[request.url as keyof typeof pages]
          if (++requests === 12) Deferred.doneUnsafe(served, Effect.void)
          if (html === undefined) response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not found</h1>")
          else response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html)
        })
        const cwd = yield* directory
        writeFileSync(join(cwd, "sluice.yaml"), pipeline(site, ["directory: { mode: replace }"]))
        yield* Effect.scoped(
          Effect.gen(function* () {
            const running = yield* start(["run", "--json"], { cwd })
            yield* Deferred.await(served)
            running.signal("SIGKILL")
            yield* running.finished
          })
        )
        assert.lengthOf((yield* lakeOf(cwd, ".sluice/lake")).rows("pages"), 0)
        const receipt = yield* runJson<Receipt>(["run", "--json"], { cwd })
        assertCompleted(receipt)
        assert.strictEqual(receipt.requests.submitted, 0)
        const landed = (yield* lakeOf(cwd, ".sluice/lake")).rows("pages").map(({ url }) => String(url))
        assert.sameMembers(
          landed,
          [...Object.keys(pages), "/gone"].map((path) => `${site}${path}`)
        )
      }),
    120_000
  )

  it.live(
    "refuses a place of another sink, another mode, and what does not go together, before anything is paid for",
    () =>
      Effect.gen(function* () {
        const site = yield* servePages(pages)
        const cwd = yield* directory
        const write = (...sinks: ReadonlyArray<string>) =>
          writeFileSync(join(cwd, "sluice.yaml"), pipeline(site, sinks))
        /** Asserts that a run is refused, with one sentence for people and the same in the JSON. */
        const assertInvalid = Effect.fnUntraced(function* (sentence: string) {
          const finished = yield* run(["run", "--json"], { cwd })
          assert.deepStrictEqual(JSON.parse(finished.stdout), { status: "invalid", exit_code: 2, reason: sentence })
          assertRefused({ ...finished, stdout: "" }, 2, sentence)
        })
        write("directory: {}")
        assertCompleted(yield* runJson<Receipt>(["run", "--json"], { cwd }))
        write("directory: { name: other }")
        yield* assertInvalid(
          'sink "other": ./.sluice/lake holds the pages of pipeline "lake" by its sink "directory": give sink "other" a place of its own'
        )
        write("directory: { mode: replace }")
        yield* assertInvalid(
          'sink "directory": ./.sluice/lake was filled by pipeline "lake" in mode append, and its readers would not expect mode replace: give it another place, or set mode: append'
        )
        write("directory: { compression: snappy }")
        yield* assertInvalid("sluice.yaml:5:18: sinks.0.directory.compression: goes with format parquet alone")
        write(`s3: { bucket: lake, endpoint: "http://127.0.0.1:1", region: r, access_key_id: ${canary.apiKey} }`)
        yield* assertInvalid(
          "sluice.yaml:5:5: sinks.0.s3.secret_access_key: is required with the other half of the credentials"
        )
        write("postgres: {}")
        assertRefused(yield* run(["gc"], { cwd }), 2, "sluice.yaml has no s3 or directory sink")
        assert.deepStrictEqual(readdirSync(join(cwd, ".sluice/lake")).sort(), [
          "_sluice",
          "dataset=links",
          "dataset=page_metadata",
          "dataset=pages",
          "dataset=token_summaries"
        ])
      }),
    120_000
  )
})
