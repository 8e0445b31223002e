import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { crawlHistory, type MisbehaviourName, makeSite, Simulator } from "@sluice/testkit"
import { Effect, Redacted } from "effect"
import { directory, run } from "./Cli.ts"
import { testDatabase } from "./TestDatabase.ts"

const timeout = 300_000
const site = makeSite({ pages: 40, seed: 5 })
const urls = site.pages.slice(1, 21).map(({ url }) => url)
const list = `[${urls.map((url) => `"${url}"`).join(", ")}]`

/** What a run comes to: exit code, POSTs, pages, dead letters, and what it says on standard error. */
type Case = readonly [MisbehaviourName, string, number, number, number, number, RegExp]

const cases: ReadonlyArray<Case> = [
  [
    "mistyped-members",
    "crawl: { url: https://site.test/ }",
    0,
    1,
    40,
    0,
    /kept with their pages: .*depth \(unreadable\)/
  ],
  ["missing-counters", "crawl: { url: https://site.test/ }", 0, 1, 40, 0, /^/],
  [
    "results-without-url",
    "crawl: { url: https://site.test/ }",
    4,
    1,
    39,
    1,
    /incomplete: job \S+ holds 1 results that do not say which page they are or how it ended; they are kept as dead letters/
  ],
  [
    "no-data",
    "crawl: { url: https://site.test/ }",
    1,
    1,
    40,
    0,
    /none of the 40 completed pages of sink "postgres" came with content/
  ],
  ["pending-at-end", `batch: { urls: ${list} }`, 4, 1, 17, 0, /counts 20 pages and 17 could be read/],
  [
    "refused-url-422",
    `extract: { urls: ${list} }`,
    0,
    20,
    20,
    0,
    /https:\/\/site\.test\/p\/\d+ was refused and counts as a failed page: .*The host of this URL does not resolve/
  ],
  ["refused-batch-url", `batch: { urls: ${list} }`, 0, 2, 20, 0, /p\/3 was refused and counts as a failed page/],
  [
    "map-fails",
    "map: { url: https://site.test/ }",
    1,
    1,
    0,
    0,
    /could not map https:\/\/site\.test\/: The site does not answer/
  ],
  ["map-finds-nothing", "map: { url: https://site.test/ }", 1, 1, 0, 0, /found no URL; .*allow_empty: true/]
]

describe("the command line against an API whose answers are odd", { concurrent: true }, () => {
  for (const [name, source, code, posts, pages, deadLetters, says] of cases) {
    it.live(
      `${name}: exit ${code}, ${posts} POSTs, ${pages} pages, ${deadLetters} dead letters`,
      () =>
        Effect.gen(function* () {
          const simulator = yield* Simulator.make({
            site,
            crawl: () => crawlHistory(site, { perPoll: 20 }),
            misbehave: [name]
          })
          const database = yield* testDatabase()
          const cwd = yield* directory
          const file = `name: odd\nsource:\n  ${source}\nsinks:\n  - postgres: { url: $DATABASE_URL }\napi: { settle_time: 1s }\n`
          writeFileSync(join(cwd, "sluice.yaml"), file)
          const finished = yield* run(["run", "--json"], {
            cwd,
            env: {
              DATABASE_URL: database.url,
              SCRAPER_API_BASE_URL: simulator.baseUrl,
              GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
            }
          })
          assert.strictEqual(finished.code, code, finished.stderr)
          assert.match(finished.stderr, says)
          assert.strictEqual(simulator.charges.received("POST"), posts)
          const [rows] = yield* database.rows<{ readonly pages: number; readonly deadLetters: number }>(
            'SELECT (SELECT count(*)::int FROM pages) AS pages, (SELECT count(*)::int FROM dead_letters) AS "deadLetters"'
          )
          assert.deepStrictEqual({ ...rows }, { pages, deadLetters })
          const receipt: Receipt = JSON.parse(finished.stdout)
          assert.strictEqual(receipt.sinks[0]?.rows.pages, pages)
        }),
      timeout
    )
  }
})
