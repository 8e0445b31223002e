import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { serve } from "@sluice/scraper"
import { Effect, Redacted } from "effect"
import { canary, directory, runJson } from "../../apps/runner/test/Cli.ts"
import { page, servePages } from "../../apps/runner/test/Site.ts"
import { dump, testDatabase } from "../../apps/runner/test/TestDatabase.ts"

const example = (name: string) => fileURLToPath(new URL(`../../docs/examples/${name}`, import.meta.url))

/** Everything that landed, but for what differs from job to job: numbers given in order, instants and durations. */
const landed = `
  SELECT p.page_key::text, p.url, p.parent_url, p.depth, p.input_index, p.status, p.error_code, p.error_message, p.markdown,
         p.html, p.fingerprint::text, m.http_status, m.retry_count, m.tokens_charged,
         ARRAY(SELECT ROW(l.position, l.url)::text FROM crawl.links l
               WHERE l.set_no = p.set_no AND l.page_key = p.page_key ORDER BY l.position) AS links
  FROM crawl.pages p JOIN crawl.page_metadata m USING (set_no, page_key) ORDER BY p.url`

describe("the example", () => {
  it("is at most 15 lines of TypeScript", () => {
    const lines = readFileSync(example("site.ts"), "utf8").split("\n")
    assert.isAtMost(lines.filter((line) => line.trim() !== "" && !line.startsWith("//")).length, 15)
  })

  it.live(
    "has the same hash and lands the same rows from TypeScript as from YAML",
    () =>
      Effect.gen(function* () {
        const site = yield* servePages({
          "/": page("home", "/a", "/b", "/gone"),
          "/a": page("a", "/b", "/deep", "https://elsewhere.example/"),
          "/b": page("b", "/a"),
          "/deep": page("deep", "/deeper"),
          "/deeper": page("too deep")
        })
        const cwd = yield* directory
        const executeRun = Effect.fnUntraced(function* (args: ReadonlyArray<string>, entry?: string) {
          const database = yield* testDatabase()
          // One API would have the job of the run before, of which an empty ledger knows nothing: the second run would halt.
          const { baseUrl } = yield* serve({
            apiKeys: [Redacted.make(canary.apiKey)],
            allowPrivateTargets: true,
            hostDelayMs: 0
          })
          const env = {
            SLUICE_HOME: cwd,
            SITE_URL: `${site}/`,
            DATABASE_URL: database.url,
            SCRAPER_API_BASE_URL: baseUrl,
            GEONODE_SCRAPER_API_KEY: canary.apiKey
          }
          const receipt = yield* runJson<Receipt>(args, { cwd, env, ...(entry === undefined ? {} : { entry }) })
          assert.strictEqual(receipt.status, "completed", receipt.reason)
          const tables = JSON.stringify(yield* dump(database, "crawl"))
          for (const secret of Object.values(canary)) assert.notInclude(tables, secret)
          return { receipt, rows: yield* database.rows(landed) }
        })
        const yaml = yield* executeRun(["run", example("site.yaml"), "--json"])
        const typescript = yield* executeRun([], example("site.ts"))

        assert.strictEqual(typescript.receipt.config_hash, yaml.receipt.config_hash)
        assert.strictEqual(yaml.receipt.jobs[0]?.url, `${site}/`)
        assert.lengthOf(yaml.rows, 4)
        assert.deepStrictEqual(typescript.rows, yaml.rows)
        assert.deepStrictEqual(typescript.receipt.pages, yaml.receipt.pages)
        assert.deepStrictEqual(typescript.receipt.sinks, yaml.receipt.sinks)
      }),
    120_000
  )
})
