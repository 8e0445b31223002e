import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { crawlHistory, makeSite, type SentItem, Simulator } from "@sluice/testkit"
import { Effect, Redacted } from "effect"
import { assertRefused, directory, run, runJson } from "./Cli.ts"
import { testDatabase } from "./TestDatabase.ts"

const pipeline = `name: docs
source:
  crawl: { url: https://site.test/ }
sinks:
  - postgres: { url: $DATABASE_URL }
`

const page = (at: number) => `https://site.test/p/${at}`
const secretContent = "what-stands-on-the-page"

/** A page Postgres cannot store, one with a value that cannot be read, and one with a member nobody knows. */
const reshape = (item: SentItem) => {
  if (item.url === page(3)) return { ...item, data: { markdown: `${secretContent}\0`, html: null } }
  if (item.url === page(4)) return { ...item, depth: secretContent }
  return item.url === page(5) ? { ...item, cached: true } : item
}

interface Listed {
  readonly id: number
  readonly run_id: string
  readonly pipeline: string
  readonly url: string
  readonly reason: string
  readonly replayed_at: string | null
}

const setUp = Effect.gen(function* () {
  const site = makeSite({ pages: 20 })
  const simulator = yield* Simulator.make({ site, crawl: () => crawlHistory(site, { perPoll: 20 }), reshape })
  const database = yield* testDatabase()
  const cwd = yield* directory
  writeFileSync(join(cwd, "sluice.yaml"), pipeline)
  const env = {
    DATABASE_URL: database.url,
    SCRAPER_API_BASE_URL: simulator.baseUrl,
    GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
  }
  return { cwd, env, database, options: { cwd, env } }
})

describe("dlq", { concurrent: true }, () => {
  it.live(
    "lists what a run set aside without a word of it, shows it, and loads it again once",
    () =>
      Effect.gen(function* () {
        const { database, options } = yield* setUp
        const ran = yield* run(["run", "--json"], options)
        const receipt = JSON.parse(ran.stdout)
        assert.deepInclude(receipt, { status: "completed", drift: ["cached", "depth (unreadable)"] })
        assert.strictEqual(receipt.sinks[0].dead_letters, 1)
        assert.match(ran.stderr, /they are kept with their pages: cached, depth \(unreadable\)/)

        const listed = yield* runJson<ReadonlyArray<Listed>>(["dlq", "list", "--json"], options)
        assert.deepStrictEqual(
          listed.map(({ pipeline, reason, run_id, url }) => [pipeline, reason, run_id, url]),
          [["docs", "nul_byte", receipt.run_id, page(3)]]
        )
        const plain = yield* run(
          ["dlq", "list", "--pipeline", "docs", "--run", receipt.run_id, "--limit", "1"],
          options
        )
        assert.match(plain.stdout, /^ +\d+ {2}20\S+ {2}nul_byte +https:\/\/site\.test\/p\/3 {2}[^\n]+\n$/)
        assert.notInclude(JSON.stringify(listed) + plain.stdout + ran.stderr + ran.stdout, secretContent)

        const nul = `${listed.find(({ reason }) => reason === "nul_byte")!.id}`
        const shown = yield* run(["dlq", "show", nul], options)
        assert.strictEqual(JSON.parse(shown.stdout).markdown, `${secretContent}\0`)
        const asJson = yield* runJson<Listed & { readonly raw: string }>(["dlq", "show", nul, "--json"], options)
        assert.strictEqual(asJson.raw, shown.stdout.trim())

        const stays = yield* run(["dlq", "replay", "--all"], options)
        assert.strictEqual(stays.code, 0, stays.stderr)
        assert.deepStrictEqual(stays.stdout.split("\n").toSorted(), [
          "",
          "     1  nul_byte: text with a NUL byte, which no table takes",
          "0 loaded, 1 refused"
        ])
        const replay = ["dlq", "replay", nul, "--replace", "--json"]
        assert.deepStrictEqual(yield* runJson(replay, options), { loaded: 1, superseded: 0, refused: {} })
        assert.deepStrictEqual(yield* runJson(replay, options), { loaded: 0, superseded: 0, refused: {} })
        assert.deepStrictEqual(
          yield* database.rows("SELECT markdown FROM current_pages WHERE url = 'https://site.test/p/3'"),
          [{ markdown: `${secretContent}\uFFFD` }]
        )
        assert.deepStrictEqual(
          yield* database.rows("SELECT depth, extra FROM current_pages WHERE url = 'https://site.test/p/4'"),
          [{ depth: null, extra: { depth: secretContent } }]
        )
        assert.lengthOf(yield* runJson<ReadonlyArray<Listed>>(["dlq", "list", "--json"], options), 0)
        const all = yield* runJson<ReadonlyArray<Listed>>(["dlq", "list", "--json", "--replayed"], options)
        assert.lengthOf(
          all.filter((deadLetter) => deadLetter.replayed_at !== null),
          1
        )
      }),
    240_000
  )

  it.live(
    "refuses what makes no sense",
    () =>
      Effect.gen(function* () {
        const { options: shared } = yield* setUp
        const options = { ...shared, alone: true }
        assertRefused(
          yield* run(["dlq", "replay"], options),
          2,
          "select dead letters by ID, --pipeline, --run or --all"
        )
        assertRefused(
          yield* run(["dlq", "replay", "1", "--all"], options),
          2,
          "--all cannot be combined with IDs, --pipeline or --run"
        )
        assertRefused(yield* run(["dlq", "show", "7"], options), 2, "there is no dead letter 7")
        assertRefused(yield* run(["dlq", "replay", "7"], options), 2, "there is no dead letter 7")
        assertRefused(yield* run(["dlq", "show", "x"], options), 2, /^sluice: .*; see: sluice dlq show --help$/)
        assert.strictEqual((yield* run(["dlq", "list"], options)).stdout, "no dead letters\n")
      }),
    240_000
  )
})
