import { assert, describe, it } from "@effect/vitest"
import { Crawl, Pipeline, Scraper } from "@sluice/core"
import { crawlHistory, dailySample, Simulator } from "@sluice/testkit"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { migrations } from "../src/database/migrations.generated.ts"
import { Postgres } from "../src/index.ts"
import { freshSchema, type Place } from "./databases.ts"
import { endedRun, firstSet, leaveBehind, openRun, quarantined, replays, request, site } from "./leaveBehind.ts"

/** What an earlier build has left is gone on with by this one, in a database as that build made it. */
export const upgradeSuite = (name: string, place: Effect.Effect<Place>): void => {
  describe(`${name}: upgrades`, () => {
    const sets = Array.from({ length: migrations.length - firstSet }, (_, at) => firstSet + at)
    for (const known of dailySample(sets, 3)) {
      const from = migrations[known - 1]!.id
      it.live(`a database of ${from}, and goes on with the run it holds`, () =>
        Effect.gen(function* () {
          const at = { ...(yield* place), schema: freshSchema() }
          const database = yield* Postgres.open(at)
          yield* Postgres.migrate(database, migrations.slice(0, known))
          const simulator = yield* Simulator.make({ crawl: () => crawlHistory(site, { perPoll: 25 }) })
          const client = Scraper.layer(simulator).pipe(Layer.provide(FetchHttpClient.layer))
          const { jobId } = yield* Effect.flatMap(Scraper, (scraper) => scraper.createCrawl(request)).pipe(
            Effect.provide(client)
          )
          const pipeline = Pipeline.make({
            name: "old",
            source: Crawl.make(request),
            sinks: [Postgres.sink(at)],
            budget: { per_pipeline: 1000 },
            // What the first build landed counts too.
            expect: { min_pages: 60, required: ["markdown"] }
          })
          yield* leaveBehind(database, pipeline.hash, jobId)

          const receipt = yield* Pipeline.run(pipeline, { reader: { pollMin: "1 millis", pollMax: "2 millis" } }).pipe(
            Effect.provide(client)
          )
          assert.deepInclude(receipt, { status: "completed", run_id: openRun })
          assert.strictEqual(receipt.pages.delivered, 60)
          assert.strictEqual(simulator.charges.received("POST"), 1)
          const [existing] = yield* database.query(
            `SELECT count(*) AS pages, count(*) FILTER (WHERE markdown = 'as it landed') AS kept,
               (SELECT max(epoch) FROM runs) AS epoch FROM pages`
          )
          assert.deepStrictEqual(existing, { pages: 60, kept: 20, epoch: 4 })

          const ledger = Postgres.ledger(database)
          const runs = yield* ledger.runs({ pipeline: "old", limit: 5 })
          assert.deepStrictEqual(
            runs.map(({ receipt, runId }) => [runId, receipt?.pages.delivered]),
            [
              [openRun, 60],
              [endedRun, 7]
            ]
          )
          const copies = yield* ledger.runs({ pipeline: "copy", limit: 5 })
          assert.sameDeepMembers(
            copies.map(({ replayedFrom, runId }) => [runId, replayedFrom]),
            [
              [replays[0], endedRun],
              [replays[1], "unknown"]
            ]
          )
          assert.isTrue(runs.every(({ replayedFrom }) => replayedFrom === undefined))
          assert.strictEqual(yield* ledger.spent({ pipeline: "old", exceptRun: "none" }), 67)

          const deadLetters = Postgres.deadLetters(database)
          assert.lengthOf(yield* deadLetters.list({ pipeline: "old" }), 1)
          assert.deepInclude(yield* deadLetters.replay({ pipeline: "old" }, { replace: true }), { loaded: 1 })
          assert.deepStrictEqual(
            yield* database.query("SELECT markdown, extra FROM current_pages WHERE url = $1", [quarantined.url]),
            [{ markdown: "a\uFFFDb", extra: null }]
          )
        })
      )
    }
  })
}
