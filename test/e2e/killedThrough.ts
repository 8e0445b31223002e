import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { crawlHistory, Simulator } from "@sluice/testkit"
import { Effect, Latch, Redacted, Schedule } from "effect"
import { directory, run, runJson, start } from "../../apps/runner/test/Cli.ts"
import { questions, schemaOfLife, siteOfLife } from "./livedThrough.ts"

/** Reads of the job before the others have to wait: the run cannot end before it is killed. */
const freeReads = 6
/** Pages of a life are there within this time, or never. */
const longestLoad = "60 seconds"

interface Listed {
  readonly run_id: string
  readonly status: string
  readonly pages: number
  readonly tokens: number
}

interface DeadLetter {
  readonly url: string
  readonly reason: string
  readonly detail: string
}

/**
 * A run of the real command line that is killed by SIGKILL while it loads, resumed, listed, audited and asked about, and whose dead
 * letters are replayed. `direct` is the address of the server itself.
 */
export const killedThrough = Effect.fnUntraced(function* ({
  direct,
  url
}: {
  readonly direct: string
  readonly url: string
}) {
  const gate = yield* Latch.make()
  let reads = 0
  const api = yield* Simulator.make({
    site: siteOfLife,
    crawl: () => crawlHistory(siteOfLife, { perPoll: 7 }),
    onRequest: ({ method, url }) =>
      Effect.suspend(() =>
        method === "GET" && !url.includes("/jobs") && ++reads > freeReads ? gate.await : Effect.void
      )
  })
  const database = yield* Postgres.open({ url: direct, schema: schemaOfLife })
  yield* Postgres.migrate(database)
  yield* database.query("ALTER TABLE pages ADD CONSTRAINT no_seven CHECK (url !~ '7$')")
  const cwd = yield* directory
  const sinks = [{ postgres: { url: "$DATABASE_URL", schema: schemaOfLife } }]
  const source = { crawl: { url: siteOfLife.url } }
  writeFileSync(join(cwd, "sluice.yaml"), JSON.stringify({ name: "docs", source, sinks, quarantine: "off" }))
  const options = {
    cwd,
    env: {
      DATABASE_URL: url,
      SCRAPER_API_BASE_URL: api.baseUrl,
      GEONODE_SCRAPER_API_KEY: Redacted.value(api.apiKey)
    }
  }
  const killed = yield* start(["run", "--json"], options)
  const hasLanded = Effect.repeat(database.query("SELECT count(*) AS landed FROM pages"), {
    schedule: Schedule.spaced("10 millis"),
    until: ([row]) => Number(row?.landed) > 0
  })
  yield* Effect.raceFirst(
    hasLanded.pipe(Effect.timeout(longestLoad)),
    Effect.flatMap(killed.finished, ({ stderr }) => Effect.die(`it ended before it was killed: ${stderr}`))
  )
  killed.signal("SIGKILL")
  const { code } = yield* killed.finished
  assert.isNull(code, killed.stderr())
  yield* gate.open
  const [open] = yield* runJson<ReadonlyArray<Listed>>(["runs", "--json"], options)
  const receipt = yield* runJson<Receipt>(["resume", open!.run_id, "--json"], options)
  const audit = yield* run(["audit", open!.run_id], options)
  const [ended] = yield* runJson<ReadonlyArray<Listed>>(["runs", "--json"], options)
  const ask = (question: string) => runJson<unknown>(["query", "--json", question], options)
  const answers = yield* Effect.forEach(questions, ask)
  const letters = yield* runJson<ReadonlyArray<DeadLetter>>(["dlq", "list", "--json"], options)
  yield* database.query("ALTER TABLE pages DROP CONSTRAINT no_seven")
  const replay = yield* runJson<unknown>(["dlq", "replay", "--all", "--json"], options)
  const after = yield* Effect.forEach(questions.slice(1, 4), ask)
  assert.strictEqual(receipt.status, "completed", receipt.reason)
  assert.strictEqual(receipt.run_id, open!.run_id)
  assert.strictEqual(api.charges.received("POST"), 1)
  assert.strictEqual(audit.code, 0, audit.stdout)
  return {
    listed: [open, ended].map((listed) => ({ status: listed!.status, pages: listed!.pages, tokens: listed!.tokens })),
    receipt: { pages: receipt.pages, tokens: receipt.tokens, sinks: receipt.sinks },
    letters: letters.map(({ detail, reason, url: page }) => `${page} ${reason} ${detail}`).sort(),
    replay,
    answers,
    after
  }
}, Effect.scoped)
