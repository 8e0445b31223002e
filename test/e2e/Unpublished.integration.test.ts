import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { crawlHistory, makeSite, type SentItem, Simulator } from "@sluice/testkit"
import { Effect, Redacted } from "effect"
import { assertRefused, directory, run, runJson } from "../../apps/runner/test/Cli.ts"
import { testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import { lakeOf } from "./lakeRows.ts"

/** No store of text holds a NUL byte. */
const unstorable = (item: SentItem): SentItem => ({
  ...item,
  data: { ...(item.data as object), markdown: `${item.url}\0` }
})

/** A pipeline of a table and a lake in mode replace, and an API whose site is as large as it is told. */
const setUp = Effect.fnUntraced(function* (more = "") {
  const database = yield* testDatabase()
  const cwd = yield* directory
  const file = (extra = more) =>
    writeFileSync(
      join(cwd, "sluice.yaml"),
      `name: shrinking
source:
  crawl: { url: "https://site.test/", limit: 500 }
sinks:
  - postgres: { url: $DATABASE_URL, mode: replace }
  - directory: { path: ./lake, mode: replace }
${extra}`
    )
  file()
  /** Runs a command beside an API that serves so many pages, and answers how many POSTs that took. */
  const command = (args: ReadonlyArray<string>, pages: number, nth: number, reshape?: (item: SentItem) => SentItem) =>
    Effect.scoped(
      Effect.gen(function* () {
        const site = makeSite({ pages, seed: 5 })
        const simulator = yield* Simulator.make({
          seed: nth,
          site,
          crawl: () => crawlHistory(site, { perPoll: 50 }),
          ...(reshape === undefined ? {} : { reshape })
        })
        const env = {
          DATABASE_URL: database.url,
          SCRAPER_API_BASE_URL: simulator.baseUrl,
          GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
        }
        const finished = yield* run(args, { cwd, env })
        return { ...finished, posts: simulator.charges.received("POST") }
      })
    )
  const offline = { cwd, alone: true, env: { DATABASE_URL: database.url, GEONODE_SCRAPER_API_KEY: "none" } }
  const shown = Effect.gen(function* () {
    const [row] = yield* database.rows<{ pages: number }>("SELECT count(*)::int AS pages FROM current_pages")
    const lake = yield* lakeOf(cwd, "lake", "shrinking")
    return [row?.pages, lake.rows("pages").length]
  })
  return { command, database, file, offline, shown }
})

describe("a run that would take most pages from readers", { concurrent: true }, () => {
  it.live(
    "exits 1 with one line that names `sluice publish`, which shows it in every sink without a request",
    () =>
      Effect.gen(function* () {
        const { command, offline, shown } = yield* setUp()
        assert.strictEqual((yield* command(["run"], 40, 1)).code, 0)
        const short = yield* command(["run", "--json"], 10, 2)
        assert.strictEqual(short.code, 1)
        assert.strictEqual(short.posts, 1)
        assert.deepStrictEqual(yield* shown, [40, 40])
        const receipt: Receipt = JSON.parse(short.stdout)
        const reason =
          'publishing this run would leave readers of sink "postgres" with 10 of the 40 pages they have, fewer than half; where that is meant, set "allow_shrink: true"'
        assert.deepInclude(receipt, { status: "failed", reason })
        assert.strictEqual(receipt.unpublished?.guard, "shrink")
        assert.strictEqual(
          short.stderr,
          `sluice: failed: ${reason}; loaded, but not published (sink "postgres": readers see none of it; sink "directory": readers see none of it); to publish it all the same, within 30 days and before a later run is published, run: sluice publish ${receipt.run_id}\n`
        )

        const listed = yield* run(["runs"], offline)
        assert.include(listed.stdout, `unpublished (sluice publish ${receipt.run_id}); ${reason}`)
        const [row] = yield* runJson<ReadonlyArray<object>>(["runs", "--json"], offline)
        assert.deepInclude(row, { run_id: receipt.run_id, status: "failed", reason, published_at: null })

        // The next run begins anew, and the one before can be published only while nothing later is.
        const next = yield* command(["run", "--json"], 10, 3)
        assert.strictEqual(next.code, 1)
        assert.strictEqual(next.posts, 1)
        const { run_id: later }: Receipt = JSON.parse(next.stdout)
        const published = yield* runJson<object>(["publish", later, "--json"], offline)
        assert.deepInclude(published, { run_id: later, pipeline: "shrinking", result: "published" })
        assert.deepStrictEqual(yield* shown, [10, 10])
        const again = yield* run(["publish", later], offline)
        assert.strictEqual(again.code, 0)
        assert.match(again.stdout, /was published before/)
        assert.match((yield* run(["runs"], offline)).stdout, /published by hand at/)
        assertRefused(
          yield* run(["publish", receipt.run_id], offline),
          2,
          `sink "postgres": a later run of this pipeline has been published, and the pages of run ${receipt.run_id} are no longer kept`
        )
        assertRefused(
          yield* run(["publish", "0197f000-0000-7000-8000-000000000000"], offline),
          2,
          "there is no run 0197f000-0000-7000-8000-000000000000 in this ledger"
        )
        assert.deepStrictEqual(yield* shown, [10, 10])
      }),
    180_000
  )

  it.live(
    "is published where the pipeline allows it",
    () =>
      Effect.gen(function* () {
        const { command, shown } = yield* setUp("allow_shrink: true\n")
        assert.strictEqual((yield* command(["run"], 40, 1)).code, 0)
        assert.strictEqual((yield* command(["run"], 10, 2)).code, 0)
        assert.deepStrictEqual(yield* shown, [10, 10])
      }),
    120_000
  )
})

describe("a run that quarantines everything", () => {
  it.live(
    "exits 1, leaves readers what they had, and is published only on demand or with `quarantine: off`",
    () =>
      Effect.gen(function* () {
        const { command, file, shown } = yield* setUp()
        assert.strictEqual((yield* command(["run"], 40, 1)).code, 0)
        const poisoned = yield* command(["run", "--json"], 40, 2, unstorable)
        assert.strictEqual(poisoned.code, 1)
        assert.strictEqual(poisoned.posts, 1)
        const { reason, sinks, unpublished }: Receipt = JSON.parse(poisoned.stdout)
        assert.strictEqual(unpublished?.guard, "quarantine")
        assert.strictEqual(sinks[0]?.dead_letters, 40)
        assert.strictEqual(
          reason,
          'sink "postgres" put all 40 records in quarantine, and "quarantine" allows a share of 0.1: see "sluice dlq list"'
        )
        assert.lengthOf(poisoned.stderr.trimEnd().split("\n"), 1)
        assert.deepStrictEqual(yield* shown, [40, 40])

        file("expect: { min_pages: 30 }\nquarantine: off\nallow_shrink: true\n")
        const expecting = yield* command(["run", "--json"], 40, 3, unstorable)
        assert.strictEqual(
          (JSON.parse(expecting.stdout) as Receipt).reason,
          'expectation min_pages: at least 30 completed pages were expected, and there are 0 (sink "postgres")'
        )
        assert.deepStrictEqual(yield* shown, [40, 40])
      }),
    120_000
  )
})
