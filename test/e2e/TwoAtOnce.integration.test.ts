import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Effect } from "effect"
import { directory, runJson } from "../../apps/runner/test/Cli.ts"
import { page, servePages } from "../../apps/runner/test/Site.ts"
import { testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import { assertCompleted, countRows, readPages } from "./Crawled.ts"

const names = Array.from({ length: 40 }, (_, index) => `/page-${index}`)

/** A pipeline of its own in a working directory of its own. */
const setUp = Effect.fnUntraced(function* (name: string, url: string, databaseUrl: string) {
  const cwd = yield* directory
  writeFileSync(
    join(cwd, "sluice.yaml"),
    `name: ${name}
source:
  crawl: { url: "${url}", depth: 2, limit: 100 }
sinks:
  - postgres: { url: $DATABASE_URL }
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`
  )
  return { cwd, env: { DATABASE_URL: databaseUrl } }
})

describe("two pipelines that begin together in one Postgres", () => {
  it.live(
    "prepare it once and land side by side, also where their pages are the same",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase()
        const site = yield* servePages({
          "/": page("home", ...names),
          ...Object.fromEntries(names.map((name) => [name, page(name, "/", "https://elsewhere.example/")]))
        })
        const both = yield* Effect.forEach(["left", "right"], (name) => setUp(name, `${site}/`, database.url))
        const receipts = yield* Effect.forEach(both, (options) => runJson<Receipt>(["run", "--json"], options), {
          concurrency: 2
        })
        for (const receipt of receipts) {
          assertCompleted(receipt)
          assert.strictEqual(receipt.pages.completed, 1 + names.length)
        }
        const pages = 2 * (1 + names.length)
        assert.deepStrictEqual(yield* countRows(both[0]!), {
          pages,
          links: 6 * names.length,
          page_metadata: pages,
          token_summaries: 2
        })
        const urls = (yield* readPages(both[0]!)).map(({ url }) => url)
        assert.strictEqual(new Set(urls).size, pages / 2)
        const runs = yield* runJson<ReadonlyArray<{ pipeline: string; status: string }>>(["runs", "--json"], both[1]!)
        assert.deepStrictEqual(runs.map(({ pipeline, status }) => `${pipeline} ${status}`).sort(), [
          "left completed",
          "right completed"
        ])
      }),
    120_000
  )
})
