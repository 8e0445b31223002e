import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Effect } from "effect"
import { directory, run, runJson } from "../../apps/runner/test/Cli.ts"
import { page, servePages } from "../../apps/runner/test/Site.ts"
import { testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import { assertCompleted } from "./Crawled.ts"

describe("a run that comes to less than was expected", () => {
  it.live(
    "fails with exit code 1, says by how much, and shows readers nothing; what is expected makes no other pipeline",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase()
        const origin = yield* servePages({ "/": page("home", "/a", "/b"), "/a": page("a", "/"), "/b": page("b", "/") })
        const cwd = yield* directory
        const options = { cwd, env: { DATABASE_URL: database.url } }
        const expecting = (minPages: number) =>
          writeFileSync(
            join(cwd, "sluice.yaml"),
            `name: expecting
source:
  crawl: { url: "${origin}/", depth: 2, limit: 20 }
sinks:
  - postgres: { url: $DATABASE_URL, mode: replace }
expect: { min_pages: ${minPages}, max_failed_share: 0, required: [markdown, links] }
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`
          )
        const shown = database.rows("SELECT url FROM current_pages")
        expecting(10)
        const short = yield* run(["run", "--json"], options)
        const reason = "expectation min_pages: at least 10 completed pages were expected, and there are 3"
        assert.strictEqual(short.code, 1)
        assert.include(
          short.stderr,
          `sluice: failed: ${reason}; loaded, but not published (sink "postgres": readers see none of it); `
        )
        assert.include(short.stderr, `run: sluice publish ${(JSON.parse(short.stdout) as Receipt).run_id}\n`)
        const failed: Receipt = JSON.parse(short.stdout)
        assert.deepInclude(failed, { status: "failed", reason })
        assert.isEmpty(yield* shown)

        expecting(3)
        const met = yield* runJson<Receipt>(["run", "--json"], options)
        assertCompleted(met)
        assert.notStrictEqual(met.run_id, failed.run_id)
        assert.strictEqual(met.config_hash, failed.config_hash)
        assert.lengthOf(yield* shown, 3)
      }),
    120_000
  )
})
