import { assert, describe, it } from "@effect/vitest"
import { sampleRecord, startRun } from "@sluice/testkit"
import { Effect, Schedule } from "effect"
import { type Database, Postgres } from "../src/index.ts"
import { type Place, sinkIn } from "./databases.ts"
import { killAt } from "./killAt.ts"
import { recrawl, urlsAt } from "./recrawl.ts"

const changed = [100, 110] as const
const gone = [990, 995] as const
const failed = [500, 507] as const

/** What `history` promises beyond the model: what costs no write, and what a death in the middle does not spoil. */
export const historySuite = (name: string, place: Effect.Effect<Place>): void => {
  describe(`${name}: history`, () => {
    it.live(
      "of three crawls of 1,000 pages and a cancelled one",
      () =>
        Effect.gen(function* () {
          const { sink, database } = yield* sinkIn(yield* place, "history", { close_after: 2 })
          assert.strictEqual((yield* recrawl(sink, 1)).status, "completed")
          const before = yield* writes(database)

          assert.strictEqual((yield* recrawl(sink, 2, { changed, gone, failed })).status, "completed")
          const once = yield* writes(database)
          assert.deepStrictEqual(since(before, once), {
            pages: { inserted: 0, updated: 10, deleted: 0 },
            page_metadata: { inserted: 0, updated: 10, deleted: 0 },
            page_history: { inserted: 10, updated: 0, deleted: 0 },
            missing_pages: { inserted: 5, updated: 0, deleted: 0 }
          })

          const cancelled = yield* recrawl(sink, 3, { changed, cancelledAfter: 400 })
          assert.deepInclude(cancelled, { status: "incomplete" })
          const idle = yield* writes(database)
          assert.deepStrictEqual(since(once, idle), {})

          assert.strictEqual((yield* recrawl(sink, 4, { changed, gone, failed })).status, "completed")
          const closed = since(idle, yield* writes(database))
          assert.deepStrictEqual(closed.pages, { inserted: 0, updated: 0, deleted: 5 })
          assert.deepStrictEqual(closed.page_metadata, { inserted: 0, updated: 0, deleted: 5 })
          assert.deepStrictEqual(closed.page_history, { inserted: 5, updated: 0, deleted: 0 })

          const versions = yield* database.query(
            `SELECT closed_as, status, count(*) AS pages FROM page_versions GROUP BY 1, 2 ORDER BY 1`
          )
          assert.deepStrictEqual(versions, [
            { closed_as: "changed", status: "completed", pages: 10 },
            { closed_as: "gone", status: "completed", pages: 5 },
            { closed_as: null, status: "completed", pages: 995 }
          ])
          const names = (rows: ReadonlyArray<{ readonly url?: unknown }>) => rows.map(({ url }) => url).toSorted()
          const of = (closedAs: string) =>
            database.query("SELECT url FROM page_versions WHERE closed_as = $1", [closedAs])
          assert.deepStrictEqual(names(yield* of("changed")), urlsAt(changed).toSorted())
          assert.deepStrictEqual(names(yield* of("gone")), urlsAt(gone).toSorted())
          assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM missing_pages"), [{ count: 0 }])
        }),
      120_000
    )

    for (const step of ["misses are counted", "pages are closed", "the run is recorded"] as const) {
      it.effect(`counts a crawl once, whose process died when ${step}`, () =>
        Effect.gen(function* () {
          const { sink, database } = yield* sinkIn(yield* place, "history", { close_after: 2 })
          const connection = yield* sink.connect
          const pages = ["https://a.example/1", "https://a.example/2"]
          for (const [nth, urls] of [pages, pages.slice(1)].entries()) {
            const run = yield* startRun(sink, connection, { startedAt: 1_750_000_000_000 + nth })
            yield* run.write(
              0,
              urls.map((url) => sampleRecord(url, { jobId: `job-${nth}` }))
            )
            yield* run.publish
          }
          const last = yield* startRun(sink, connection, { startedAt: 1_750_000_000_002 })
          yield* last.write(0, [sampleRecord(pages[1]!, { jobId: "job-2" })])
          const existing = database.query(
            "SELECT (SELECT count(*) FROM pages) AS pages, (SELECT count(*) FROM page_history) AS closed, (SELECT sum(misses) FROM missing_pages)::int AS misses"
          )
          const { repair } = yield* killAt(database, steps[step])
          yield* Effect.flip(last.publish)
          assert.deepStrictEqual(yield* existing, [{ pages: 2, closed: 0, misses: 1 }])
          yield* repair
          yield* last.publish
          assert.deepStrictEqual(yield* existing, [{ pages: 1, closed: 1, misses: null }])
          yield* last.publish
          assert.deepStrictEqual(yield* existing, [{ pages: 1, closed: 1, misses: null }])
        })
      )
    }

    it.effect("never counts a crawl after one that began later, and never twice", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "history")
        const connection = yield* sink.connect
        const begin = (startedAt: number) => startRun(sink, connection, { startedAt: 1_750_000_000_000 + startedAt })
        const first = yield* begin(0)
        yield* first.write(0, [sampleRecord("https://a.example/1")])
        const older = yield* begin(1)
        const newer = yield* begin(2)
        for (const run of [first, older, newer, older, first]) yield* run.publish
        assert.deepStrictEqual(yield* database.query("SELECT misses FROM missing_pages"), [{ misses: 2 }])
      })
    )

    it.effect("takes the content where two jobs of a segment deliver a page, and one of them failed", () =>
      Effect.gen(function* () {
        const { sink, read } = yield* sinkIn(yield* place, "history")
        const run = yield* startRun(sink, yield* sink.connect)
        const url = "https://a.example/1"
        yield* run.write(0, [
          sampleRecord(url, { jobId: "job-1" }),
          sampleRecord(url, { jobId: "job-2", status: "failed", markdown: null, links: [] })
        ])
        assert.deepStrictEqual(
          (yield* read).pages.map(({ status }) => status),
          ["completed"]
        )
      })
    )

    it.effect("keeps one version where several runs change a page alike at once", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "history")
        const connection = yield* sink.connect
        const records = (jobId: string, markdown: string) =>
          Array.from({ length: 40 }, (_, at) => sampleRecord(`https://a.example/${at}`, { jobId, markdown }))
        yield* (yield* startRun(sink, connection)).write(0, records("job-0", "one"))
        const later = ["two", "three", "two"]
        for (const markdown of later) {
          const runs = yield* Effect.forEach([1, 2, 3, 4], () => startRun(sink, connection))
          yield* Effect.forEach(runs, ({ write }, at) => write(0, records(`job-${at}`, markdown)), {
            concurrency: "unbounded"
          })
        }
        const bodies = yield* database.query(
          "SELECT array_agg(markdown ORDER BY valid_from) AS bodies, count(*) AS versions FROM page_versions GROUP BY page_key"
        )
        assert.deepStrictEqual(bodies, Array(40).fill({ bodies: ["one", ...later], versions: 4 }))
      })
    )

    it.effect("keeps versions in order where the server's clock has gone back", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "history", { close_after: 1 })
        const connection = yield* sink.connect
        for (const [nth, markdown] of ["one", "two", "three", undefined].entries()) {
          const run = yield* startRun(sink, connection, { startedAt: 1_750_000_000_000 + nth })
          const record = sampleRecord("https://a.example/1", { jobId: `job-${nth}`, ...(markdown && { markdown }) })
          yield* run.write(0, markdown === undefined ? [] : [record])
          yield* run.publish
          yield* database.query("UPDATE pages SET landed_at = landed_at + interval '1 day'")
        }
        assert.deepStrictEqual(
          yield* database.query(
            "SELECT markdown, valid_to - valid_from AS lasted FROM page_versions ORDER BY valid_from"
          ),
          ["one", "two", "three"].map((markdown) => ({ markdown, lasted: "00:00:00.000001" }))
        )
      })
    )

    it.effect("keeps every version where two runs change a page at once", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "history")
        const connection = yield* sink.connect
        const records = (jobId: string) =>
          Array.from({ length: 40 }, (_, at) => sampleRecord(`https://a.example/${at}`, { jobId, markdown: jobId }))
        const jobs = ["job-1", "job-2", "job-3", "job-4"]
        const runs = yield* Effect.forEach(jobs, () => startRun(sink, connection))
        yield* Effect.forEach(jobs, (jobId, at) => runs[at]!.write(0, records(jobId)), { concurrency: "unbounded" })
        const versions = yield* database.query(
          `SELECT markdown, count(*) AS pages, count(*) FILTER (WHERE valid_to <= valid_from) AS void FROM page_versions GROUP BY 1 ORDER BY 1`
        )
        assert.deepStrictEqual(
          versions,
          jobs.map((markdown) => ({ markdown, pages: 40, void: 0 }))
        )
      })
    )
  })
}

const steps = {
  "misses are counted": "BEFORE UPDATE ON missing_pages",
  "pages are closed": "AFTER DELETE ON pages",
  "the run is recorded": "BEFORE UPDATE OF counted_run ON page_sets"
} as const

interface Writes {
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

const dataTables = ["pages", "links", "page_metadata", "page_history", "missing_pages"] as const

/** Rows written so far, by table, as the server counts them. */
const writes = Effect.fnUntraced(function* (database: Database) {
  yield* countersOf(database)
  const rows = yield* Postgres.query(
    database,
    `SELECT relname, n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_del AS deleted FROM pg_stat_user_tables
     WHERE schemaname = $1 AND relname = ANY ($2::text[])`,
    { parameters: [database.schema, `{${dataTables.join(",")}}`] }
  )
  return new Map(
    rows.map(({ deleted, inserted, relname, updated }) => [
      String(relname),
      { inserted: Number(inserted), updated: Number(updated), deleted: Number(deleted) }
    ])
  )
})

/** A process of the server reports what it has counted at the latest when it ends; PGlite's only one is asked to. */
const countersOf = (database: Database) =>
  database.kind === "pglite"
    ? database.query("SELECT pg_stat_force_next_flush()")
    : database
        .query(
          `SELECT pid FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
             AND application_name <> $1`,
          [database.session]
        )
        .pipe(Effect.repeat({ until: (others) => others.length === 0, schedule: Schedule.spaced("10 millis") }))

const since = (
  before: ReadonlyMap<string, Writes>,
  after: ReadonlyMap<string, Writes>
): { readonly [table: string]: Writes } =>
  Object.fromEntries(
    dataTables.flatMap((table) => {
      const [a, b] = [before.get(table), after.get(table)]
      if (a === undefined || b === undefined) return []
      const written = {
        inserted: b.inserted - a.inserted,
        updated: b.updated - a.updated,
        deleted: b.deleted - a.deleted
      }
      return Object.values(written).some((rows) => rows > 0) ? [[table, written]] : []
    })
  )
