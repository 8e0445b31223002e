import { assert, describe, it } from "@effect/vitest"
import { Crawl, Pipeline, Scraper } from "@sluice/core"
import { crawlHistory, makeSite, Simulator, sampleRecord, startRun } from "@sluice/testkit"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { LoadMode, Postgres } from "../src/index.ts"
import { freshSchema, type Place, sinkIn } from "./databases.ts"

const modes = LoadMode.literals

/** A pipeline stays in the mode it was loaded in. */
export const modeChangeSuite = (name: string, place: Effect.Effect<Place>): void => {
  describe(`${name}: a changed mode`, () => {
    for (const [at, mode] of modes.entries()) {
      const other = modes[(at + 1) % modes.length]!
      it.live(`from ${mode} to ${other} is refused before anything is paid for or begun`, () =>
        Effect.gen(function* () {
          const where = { ...(yield* place), schema: freshSchema() }
          const site = makeSite({ pages: 20 })
          const simulator = yield* Simulator.make({ site, crawl: () => crawlHistory(site, { perPoll: 20 }) })
          const run = (sinkMode: LoadMode, sinkName?: string) =>
            Pipeline.run(
              Pipeline.make({
                name: "docs",
                source: Crawl.make({ url: "https://site.test/" }),
                sinks: [Postgres.sink({ ...where, mode: sinkMode, name: sinkName })]
              }),
              { reader: { pollMin: "1 millis", pollMax: "2 millis" } }
            ).pipe(Effect.provide(Scraper.layer(simulator).pipe(Layer.provide(FetchHttpClient.layer))))
          yield* run(mode)
          const refusal = yield* Effect.flip(run(other))
          assert.strictEqual(
            refusal.message,
            `sink "postgres": pipeline "docs" was loaded here in mode ${mode}, and mode ${other} cannot continue its pages: set "mode" back to ${mode}, or give the sink another "name" or "schema" to start new pages beside them`
          )
          assert.strictEqual(simulator.charges.received("POST"), 1)
          assert.strictEqual((yield* run(mode)).status, "completed")
          assert.strictEqual((yield* run(other, "beside")).status, "completed")
          const database = yield* Postgres.open(where)
          assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM runs"), [{ count: 3 }])
        })
      )
    }

    it.effect("is found out by the first segment, where another process was first after all", () =>
      Effect.gen(function* () {
        const at = yield* place
        const { sink, database } = yield* sinkIn(at, "append")
        const late = yield* startRun(sink, yield* sink.connect)
        const merging = Postgres.sink({ ...at, schema: database.schema, mode: "merge" })
        const early = yield* startRun(merging, yield* merging.connect)
        yield* early.write(0, [sampleRecord("https://a.example/1")])
        const failure = yield* Effect.flip(late.write(0, [sampleRecord("https://a.example/1", { jobId: "job-2" })]))
        assert.include(failure.message, "was loaded here in mode merge")
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM pages"), [{ count: 1 }])
      })
    )
  })
}
