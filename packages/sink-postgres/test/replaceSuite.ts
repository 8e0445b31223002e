import { assert, describe, it } from "@effect/vitest"
import { sampleRecord, startRun } from "@sluice/testkit"
import { Effect, Fiber, Schedule } from "effect"
import { type Place, sinkIn } from "./databases.ts"
import { killAt } from "./killAt.ts"
import { recrawl, recrawling } from "./recrawl.ts"

const pagesOf = (run: string, count = 300) =>
  Array.from({ length: count }, (_, at) =>
    sampleRecord(`https://a.example/${at}`, { jobId: run, markdown: run, links: [`https://b.example/${run}`] })
  )

const states = "SELECT state FROM page_sets ORDER BY set_no"

/** What `replace` promises beyond the model: what readers see meanwhile, and what a death in the middle leaves behind. */
export const replaceSuite = (name: string, place: Effect.Effect<Place>): void => {
  describe(`${name}: replace`, () => {
    it.live("shows a reader the old pages or the new ones, never both, and leaves dependent views in place", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "replace")
        const connection = yield* sink.connect
        const first = yield* startRun(sink, connection)
        yield* first.write(0, pagesOf("old"))
        yield* first.publish
        yield* database.query(
          `CREATE VIEW report AS SELECT p.markdown, count(DISTINCT p.page_key) AS pages, count(l.url) AS links, min(l.url) AS url
           FROM current_pages p JOIN current_links l USING (set_no, page_key) JOIN current_page_metadata m USING (set_no, page_key)
           GROUP BY p.markdown`
        )
        const reports: Array<unknown> = []
        const look = Effect.map(database.query("SELECT * FROM report"), (rows) => void reports.push(rows))
        yield* look
        const reader = yield* Effect.forkChild(Effect.forever(look))
        const second = yield* startRun(sink, connection)
        for (let seq = 0; seq < 6; seq++) {
          yield* second.write(seq, pagesOf("new").slice(seq * 50, seq * 50 + 50))
        }
        yield* second.publish
        yield* Fiber.interrupt(reader)
        yield* look
        const ofRun = (run: string) => [{ markdown: run, pages: 300, links: 300, url: `https://b.example/${run}` }]
        const at = reports.findIndex((report) => JSON.stringify(report) === JSON.stringify(ofRun("new")))
        assert.isAbove(at, 0)
        assert.deepStrictEqual(reports.slice(0, at), Array(at).fill(ofRun("old")))
        assert.deepStrictEqual(reports.slice(at), Array(reports.length - at).fill(ofRun("new")))
        assert.deepStrictEqual(yield* database.query("SELECT url FROM links_to('https://b.example/old')"), [])
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM pages"), [{ count: 300 }])
        assert.deepStrictEqual(yield* database.query(states), [{ state: "removed" }, { state: "current" }])
      })
    )

    it.live("shows a run that completed, also one that had to be resumed for it, and none that was cancelled", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "replace")
        const shown = database.query(
          "SELECT count(*) AS pages, count(*) FILTER (WHERE markdown LIKE '%Revised.') AS revised FROM current_pages"
        )
        yield* recrawl(sink, 1)
        const cancelled = yield* recrawl(sink, 2, { changed: [0, 10], cancelledAfter: 400 })
        assert.strictEqual(cancelled.status, "incomplete")
        assert.deepStrictEqual(yield* shown, [{ pages: 1000, revised: 0 }])
        const { run, simulator } = yield* recrawling(sink, 3, { changed: [0, 20], gone: [900, 1000] })
        const { repair } = yield* killAt(database, "AFTER UPDATE ON page_sets")
        const failed = yield* run
        assert.strictEqual(failed.status, "failed")
        assert.deepStrictEqual(yield* shown, [{ pages: 1000, revised: 0 }])
        yield* repair
        assert.deepInclude(yield* run, { status: "completed", run_id: failed.run_id })
        assert.deepStrictEqual(yield* shown, [{ pages: 900, revised: 20 }])
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM pages"), [{ count: 900 }])
        assert.strictEqual(simulator.charges.received("POST"), 1)
      })
    )

    it.effect("shows the old pages where the process died in the swap, and the new ones once it is done again", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "replace")
        const connection = yield* sink.connect
        const shown = database.query("SELECT DISTINCT markdown FROM current_pages")
        const first = yield* startRun(sink, connection)
        yield* first.write(0, pagesOf("old"))
        yield* first.publish
        const second = yield* startRun(sink, connection)
        yield* second.write(0, pagesOf("new"))
        const { repair } = yield* killAt(database, "AFTER UPDATE ON page_sets")
        yield* Effect.flip(second.publish)
        assert.deepStrictEqual(yield* shown, [{ markdown: "old" }])
        yield* repair
        yield* second.publish
        assert.deepStrictEqual(yield* shown, [{ markdown: "new" }])
      })
    )

    it.effect("removes the old pages later where the process died while it did", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "replace")
        const connection = yield* sink.connect
        const first = yield* startRun(sink, connection)
        // More than go in one transaction.
        for (let seq = 0; seq < 5; seq++) {
          yield* first.write(
            seq,
            pagesOf(`old-${seq}`, 1000).map((record) => ({ ...record, key: record.key + BigInt(seq) }))
          )
        }
        yield* first.publish
        const second = yield* startRun(sink, connection)
        yield* second.write(0, pagesOf("new"))
        const { repair } = yield* killAt(database, "AFTER DELETE ON pages")
        yield* second.publish
        assert.deepStrictEqual(yield* database.query("SELECT DISTINCT markdown FROM current_pages"), [
          { markdown: "new" }
        ])
        assert.deepStrictEqual(yield* database.query(states), [{ state: "superseded" }, { state: "current" }])
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM pages"), [{ count: 5300 }])
        yield* repair
        yield* second.publish
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM pages"), [{ count: 300 }])
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM links"), [{ count: 300 }])
        assert.deepStrictEqual(yield* database.query(states), [{ state: "removed" }, { state: "current" }])
      })
    )

    it.live("removes what a run left that ended unpublished, while the next one is at work", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "replace")
        const connection = yield* sink.connect
        const failed = yield* startRun(sink, connection)
        yield* failed.write(0, pagesOf("half"))
        yield* database.query("UPDATE runs SET finished_at = now(), status = 'failed'")
        const next = yield* startRun(sink, connection)
        yield* database
          .query(states)
          .pipe(Effect.repeat({ until: ([set]) => set?.state === "removed", schedule: Schedule.spaced("5 millis") }))
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM pages"), [{ count: 0 }])
        yield* next.write(0, pagesOf("whole"))
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM current_pages"), [{ count: 0 }])
      })
    )

    it.effect("says that a run cannot be gone on with once a later one is published", () =>
      Effect.gen(function* () {
        const { sink } = yield* sinkIn(yield* place, "replace")
        const connection = yield* sink.connect
        const older = yield* startRun(sink, connection)
        yield* older.write(0, pagesOf("older"))
        const newer = yield* startRun(sink, connection)
        yield* newer.publish
        const { ledger, run } = older
        for (const attempt of [
          older.write(1, pagesOf("more")),
          older.publish,
          startRun(sink, connection, { ledger, run })
        ]) {
          const failure = yield* Effect.flip(attempt)
          assert.include(failure.message, "a later run of this pipeline has been published")
        }
      })
    )
  })
}
