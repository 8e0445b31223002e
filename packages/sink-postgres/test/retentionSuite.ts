import { assert, describe, it } from "@effect/vitest"
import { sampleRecord } from "@sluice/testkit"
import { Effect } from "effect"
import type { Database, LoadMode } from "../src/index.ts"
import { type Place, sinkIn } from "./databases.ts"
import { endedRun } from "./endedRun.ts"
import { killAt } from "./killAt.ts"

const url = (page: string) => `https://a.example/${page}`

/** A page every run delivers anew, one only the first has delivered, and one of each run's own. */
const pagesOf = (nth: number) =>
  [{ page: "always" }, { page: `own-${nth}` }, ...(nth === 1 ? [{ page: "once" }] : [])].map(({ page }) =>
    sampleRecord(url(page), { jobId: `job-${nth}`, markdown: `${page} ${nth}` })
  )

const shown = (database: Database) => database.query("SELECT url, markdown FROM current_pages ORDER BY url")

const segmentsLeft = (database: Database) =>
  Effect.map(
    database.query(
      "SELECT (extract(epoch FROM r.started_at)::int - 1750000000) AS nth FROM segments JOIN runs r USING (run_id) ORDER BY 1"
    ),
    (rows) => rows.map(({ nth }) => nth)
  )

/** What goes of earlier runs, and what never does. */
export const retentionSuite = (name: string, place: Effect.Effect<Place>): void => {
  const setUp = Effect.fnUntraced(function* (mode: LoadMode, runs: number) {
    const under = yield* sinkIn(yield* place, mode, { retain: { runs } })
    return { ...under, connection: yield* under.sink.connect }
  })

  describe(`${name}: retention`, () => {
    it.effect(
      "removes what older jobs left in append, but nothing that readers see, nor of a run that has not ended",
      () =>
        Effect.gen(function* () {
          const { connection, database, sink } = yield* setUp("append", 2)
          const run = (nth: number, status: "completed" | "failed" | "open" = "completed") =>
            endedRun(sink, connection, { nth, records: pagesOf(nth), status })
          yield* run(1)
          const open = yield* run(2, "open")
          yield* run(3, "failed")
          const before = yield* shown(database)
          yield* run(4)
          assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM pages"), [{ count: 9 }])
          yield* run(5)
          const after = yield* shown(database)
          assert.deepStrictEqual(
            after.map((page) => page.markdown),
            ["always 5", "once 1", "own-1 1", "own-2 2", "own-3 3", "own-4 4", "own-5 5"]
          )
          assert.isBelow(before.length, after.length)
          const left = yield* database.query(
            "SELECT j.job_id, p.url FROM pages p JOIN jobs j USING (job_no) WHERE p.url = $1 ORDER BY 1",
            [url("always")]
          )
          assert.deepStrictEqual(
            left.map(({ job_id }) => job_id),
            ["job-2", "job-4", "job-5"]
          )
          for (const table of ["links", "page_metadata"]) {
            const orphans = `SELECT count(*) FROM ${table} t WHERE NOT EXISTS
            (SELECT FROM pages p WHERE p.set_no = t.set_no AND p.page_key = t.page_key)`
            assert.deepStrictEqual(yield* database.query(orphans), [{ count: 0 }])
          }
          assert.deepStrictEqual(yield* segmentsLeft(database), [2, 4, 5])
          assert.lengthOf(yield* database.query("SELECT FROM runs WHERE receipt IS NOT NULL"), 4)
          assert.lengthOf(yield* database.query("SELECT FROM submissions"), 0)
          yield* open.write(1, [sampleRecord(url("late"), { jobId: "job-2" })])
          assert.deepStrictEqual(yield* segmentsLeft(database), [2, 2, 4, 5])
        })
    )

    it.effect("removes versions that were closed before the runs that are kept in history, and no current one", () =>
      Effect.gen(function* () {
        const { connection, database, sink } = yield* setUp("history", 2)
        const records = (nth: number) => [
          sampleRecord(url("changes"), { jobId: `job-${nth}`, markdown: `${nth}` }),
          sampleRecord(url("stays"), { jobId: `job-${nth}` })
        ]
        for (const nth of [1, 2, 3, 4]) yield* endedRun(sink, connection, { nth, records: records(nth) })
        const versions = yield* database.query(
          "SELECT markdown FROM page_versions WHERE url = $1 ORDER BY valid_from",
          [url("changes")]
        )
        // The second stood when the third began.
        assert.deepStrictEqual(
          versions.map(({ markdown }) => markdown),
          ["2", "3", "4"]
        )
        assert.lengthOf(yield* shown(database), 2)
        assert.deepStrictEqual(yield* segmentsLeft(database), [3, 4])
      })
    )

    it.effect("removes finished entries of the ledger alone in merge and replace", () =>
      Effect.gen(function* () {
        for (const mode of ["merge", "replace"] as const) {
          const { connection, database, sink } = yield* setUp(mode, 1)
          for (const nth of [1, 2, 3]) yield* endedRun(sink, connection, { nth, records: pagesOf(nth) })
          assert.lengthOf(yield* shown(database), mode === "merge" ? 5 : 2)
          assert.deepStrictEqual(yield* segmentsLeft(database), [3])
          assert.lengthOf(yield* database.query("SELECT FROM jobs"), 3)
        }
      })
    )

    it.effect("of one pipeline leaves another's alone", () =>
      Effect.gen(function* () {
        const { connection, database, sink } = yield* setUp("append", 1)
        yield* database.query(
          `INSERT INTO runs (run_id, pipeline, config_hash, status, started_at, finished_at)
           VALUES ('01890000-0000-7000-8000-000000000009', 'other', 'h', 'completed', '2020-01-01', '2020-01-01')`
        )
        yield* database.query(
          "INSERT INTO jobs (job_id, run_id) VALUES ('theirs', '01890000-0000-7000-8000-000000000009')"
        )
        yield* database.query(
          `WITH s AS (INSERT INTO page_sets (pipeline, sink, mode, job_no)
             SELECT 'other', 'postgres', 'append', job_no FROM jobs RETURNING set_no, job_no)
           INSERT INTO pages (set_no, page_key, job_no, url, status) SELECT set_no, page_key, job_no, 'https://o.example/', 'completed'
           FROM s, generate_series(1, 3) AS page_key`
        )
        yield* database.query(
          `INSERT INTO segments (run_id, sink, seq, epoch, bytes, keys, pages, links, page_metadata, token_summaries, dead_letters)
           VALUES ('01890000-0000-7000-8000-000000000009', 'postgres', 1, 1, 0, '', 0, 0, 0, 0, 0)`
        )
        for (const nth of [1, 2]) yield* endedRun(sink, connection, { nth, records: pagesOf(nth) })
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM pages WHERE url LIKE '%o.example%'"), [
          { count: 3 }
        ])
        assert.lengthOf(yield* segmentsLeft(database), 2)
      })
    )

    it.live("that was killed half-way fails no run, and is gone on with after the next", () =>
      Effect.gen(function* () {
        for (const event of ["AFTER DELETE ON pages", "AFTER DELETE ON segments"]) {
          const { connection, database, sink } = yield* setUp("append", 1)
          yield* endedRun(sink, connection, { nth: 1, records: pagesOf(1) })
          const { repair } = yield* killAt(database, event)
          yield* endedRun(sink, connection, { nth: 2, records: pagesOf(2) })
          const meanwhile = yield* shown(database)
          assert.deepStrictEqual(
            meanwhile.map(({ markdown }) => markdown),
            ["always 2", "once 1", "own-1 1", "own-2 2"]
          )
          yield* repair
          yield* endedRun(sink, connection, { nth: 3, records: pagesOf(3) })
          assert.deepStrictEqual(yield* segmentsLeft(database), [3])
          assert.deepStrictEqual(
            (yield* database.query("SELECT markdown FROM pages ORDER BY 1")).map(({ markdown }) => markdown),
            ["always 3", "once 1", "own-1 1", "own-2 2", "own-3 3"]
          )
        }
      })
    )

    it.live("goes through a set of many pages in batches", () =>
      Effect.gen(function* () {
        const { connection, database, sink } = yield* setUp("append", 1)
        for (const nth of [1, 2]) {
          const records = Array.from({ length: 4500 }, (_, at) =>
            sampleRecord(url(`${at}`), { jobId: `job-${nth}`, links: [url("x")] })
          )
          yield* endedRun(sink, connection, { nth, records })
        }
        for (const table of ["pages", "links", "page_metadata"]) {
          assert.deepStrictEqual(yield* database.query(`SELECT count(*) FROM ${table}`), [{ count: 4500 }], table)
        }
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM page_sets"), [{ count: 1 }])
      })
    )
  })
}
