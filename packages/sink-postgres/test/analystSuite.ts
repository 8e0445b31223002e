import { assert, describe, it } from "@effect/vitest"
import { sampleRecord, type startRun } from "@sluice/testkit"
import { Effect } from "effect"
import type { LoadMode } from "../src/index.ts"
import { type Place, sinkIn } from "./databases.ts"
import { endedRun } from "./endedRun.ts"

const url = (page: string) => `https://a.example/${page}`
const failed = { status: "failed", errorCode: "HTTP_404", errorMessage: "gone", markdown: null, links: [] } as const

type Written = Parameters<Effect.Success<ReturnType<typeof startRun>>["write"]>[1]

/** Answers to the obvious questions, in each mode. */
export const analystSuite = (name: string, place: Effect.Effect<Place>): void => {
  /** Two runs of five pages in a mode: one stays, one changes, one fails, one goes and one comes. */
  const recrawled = Effect.fnUntraced(function* (mode: LoadMode) {
    const { sink, database } = yield* sinkIn(yield* place, mode, mode === "history" ? { close_after: 1 } : {})
    const connection = yield* sink.connect
    const page = (nth: number, path: string, more: Parameters<typeof sampleRecord>[1] = {}) =>
      sampleRecord(url(path), { jobId: `job-${nth}`, markdown: path, links: [url("stays"), url("breaks#x")], ...more })
    const of = (nth: number): Written =>
      nth === 1
        ? ["stays", "changes", "breaks", "goes"].map((path) => page(nth, path))
        : [
            page(nth, "stays"),
            page(nth, "changes", { markdown: "other", links: [url("breaks"), url("stays"), url("stays")] }),
            page(nth, "breaks", failed),
            page(nth, "comes", { links: [url("breaks"), url("comes")] })
          ]
    for (const nth of [1, 2]) yield* endedRun(sink, connection, { nth, records: of(nth) })
    return database
  })

  describe(`${name}: the views for analysts`, () => {
    for (const mode of ["append", "merge", "replace"] as const) {
      it.effect(`tell broken links and degrees in ${mode}`, () =>
        Effect.gen(function* () {
          const database = yield* recrawled(mode)
          const broken = yield* database.query(
            "SELECT pipeline, page_url, url, position, error_code FROM broken_links ORDER BY page_url"
          )
          const link = (page: string, position: number) => ({
            pipeline: "suite",
            page_url: url(page),
            url: url("breaks"),
            position,
            error_code: "HTTP_404"
          })
          assert.deepStrictEqual(broken, [link("changes", 0), link("comes", 0)])
          const degrees = yield* database.query(
            "SELECT url, inbound, outbound FROM page_degrees WHERE url NOT LIKE '%goes' ORDER BY url"
          )
          const goes = mode === "replace" ? 0 : 1
          assert.deepStrictEqual(degrees, [
            { url: url("breaks"), inbound: 2, outbound: 0 },
            { url: url("changes"), inbound: 0, outbound: 2 },
            { url: url("comes"), inbound: 0, outbound: 1 },
            { url: url("stays"), inbound: 1 + goes, outbound: 1 }
          ])
        })
      )
    }

    it.effect("tell what the last run has changed, as far as the mode keeps what was before", () =>
      Effect.gen(function* () {
        const expected = {
          append: { breaks: "changed", changes: "changed", comes: "added" },
          merge: { breaks: "added or changed", changes: "added or changed", comes: "added or changed" },
          replace: {},
          history: { changes: "changed", comes: "added", goes: "gone" }
        }
        for (const mode of ["append", "merge", "replace", "history"] as const) {
          const database = yield* recrawled(mode)
          const changes = yield* database.query(
            `SELECT c.url, c.change FROM changed_pages c JOIN runs r USING (run_id)
             WHERE r.run_id = (SELECT run_id FROM runs ORDER BY started_at DESC LIMIT 1) ORDER BY url`
          )
          const all = yield* database.query("SELECT count(*) FROM changed_pages")
          assert.deepStrictEqual(
            changes,
            Object.entries(expected[mode]).map(([path, change]) => ({ url: url(path), change })),
            mode
          )
          assert.deepStrictEqual(all, [{ count: changes.length }])
        }
      })
    )

    it.effect("tell what a pipeline has cost by the day its runs began", () =>
      Effect.gen(function* () {
        const database = yield* recrawled("merge")
        const [days] = yield* database.query("SELECT * FROM daily_tokens")
        const [sum] = yield* database.query("SELECT sum(tokens_charged)::int AS tokens FROM token_summaries")
        assert.deepInclude(days, {
          pipeline: "suite",
          day: "2025-06-15",
          runs: 2,
          jobs: 2,
          tokens_charged: sum?.tokens
        })
      })
    )

    it.effect("look broken links and degrees up by index", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "merge")
        const records = Array.from({ length: 2000 }, (_, at) =>
          sampleRecord(url(`${at}`), { links: [url(`${at + 1}`)] })
        )
        yield* endedRun(sink, yield* sink.connect, { nth: 1, records })
        for (const table of ["pages", "links", "page_sets"]) yield* database.query(`ANALYZE ${table}`)
        const sql = `SELECT inbound, outbound FROM page_degrees WHERE url = '${url("7")}'`
        assert.deepStrictEqual(yield* database.query(sql), [{ inbound: 1, outbound: 1 }])
        const plan = JSON.stringify(yield* database.query(`EXPLAIN ${sql}`))
        assert.notInclude(plan, "Seq Scan on pages")
        assert.notInclude(plan, "Seq Scan on links")
      })
    )
  })
}
