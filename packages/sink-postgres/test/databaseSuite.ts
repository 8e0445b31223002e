import { assert, describe, it } from "@effect/vitest"
import { dailySample, ledgerSuite, sampleRecord, startRun } from "@sluice/testkit"
import { Deferred, Effect, Fiber } from "effect"
import { migrations } from "../src/database/migrations.generated.ts"
import { Postgres } from "../src/index.ts"
import { analystSuite } from "./analystSuite.ts"
import { freshSchema, type Place, sinkIn } from "./databases.ts"
import { deadLetterSuite } from "./deadLetterSuite.ts"
import { durabilitySuite } from "./durabilitySuite.ts"
import { expectationSuite } from "./expectationSuite.ts"
import { historyModelSuite } from "./historyModelSuite.ts"
import { historySuite } from "./historySuite.ts"
import { modeChangeSuite } from "./modeChangeSuite.ts"
import { modelSuite } from "./modelSuite.ts"
import { querySuite } from "./querySuite.ts"
import { replaceModelSuite } from "./replaceModelSuite.ts"
import { replaceSuite } from "./replaceSuite.ts"
import { retentionSuite } from "./retentionSuite.ts"
import { tickLogSuite } from "./tickLogSuite.ts"
import { unpublishedSuite } from "./unpublishedSuite.ts"
import { upgradeSuite } from "./upgradeSuite.ts"
import { viewSuite } from "./viewSuite.ts"

const suites = [
  modelSuite,
  durabilitySuite,
  replaceModelSuite,
  replaceSuite,
  historyModelSuite,
  historySuite,
  modeChangeSuite,
  expectationSuite,
  unpublishedSuite,
  viewSuite,
  analystSuite,
  retentionSuite,
  tickLogSuite,
  upgradeSuite,
  deadLetterSuite
]

/** What is tried of {@link databaseSuite}: all of it, or every eighth part, by the seed of the run. */
export type Share = "all" | "an eighth"

/** What holds on a server as on PGlite. */
export const databaseSuite = (name: string, place: Effect.Effect<Place>, share: Share = "all"): void => {
  const openFresh = Effect.flatMap(place, (at) => Postgres.open({ ...at, schema: freshSchema() }))
  const openMigrated = Effect.tap(openFresh, (database) => Postgres.migrate(database))

  ledgerSuite(name, Effect.map(openMigrated, Postgres.ledger))
  for (const suite of share === "all" ? suites : dailySample(suites, 8)) suite(name, place)

  describe(`${name}: transactions`, () => {
    it.effect("are rolled back when interrupted, and the next is served", () =>
      Effect.gen(function* () {
        const database = yield* openMigrated
        const written = yield* Deferred.make<void>()
        const fiber = yield* database
          .transaction((tx) =>
            tx
              .execute("CREATE TABLE half (id int)")
              .pipe(Effect.andThen(Deferred.succeed(written, undefined)), Effect.andThen(Effect.never))
          )
          .pipe(Effect.forkChild)
        yield* Deferred.await(written)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* database.query("SELECT to_regclass('half')::text AS half"), [{ half: null }])
      })
    )
  })

  describe(`${name}: migrations`, () => {
    it.effect("are applied once, however many start at once", () =>
      Effect.gen(function* () {
        const at = { ...(yield* place), schema: freshSchema() }
        const applied = yield* Effect.all(
          Array.from({ length: 3 }, () => Effect.flatMap(Postgres.open(at), (database) => Postgres.migrate(database))),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          applied.flat().toSorted(),
          migrations.map(({ id }) => id)
        )
      })
    )

    it.effect("refuse a database prepared by a newer build, and change nothing", () =>
      Effect.gen(function* () {
        const database = yield* openMigrated
        yield* database.query("INSERT INTO sluice_migrations (id) VALUES ('9999_future')")
        const failure = yield* Effect.flip(Postgres.migrate(database))
        assert.strictEqual(failure.message, "the database was prepared by a newer Sluice (9999_future); upgrade Sluice")
        const sink = Postgres.sink({ ...(yield* place), schema: database.schema })
        assert.strictEqual((yield* Effect.flip(sink.connect)).reason._tag, "SinkTooNew")
      })
    )

    it.effect("leave tables of others alone", () =>
      Effect.gen(function* () {
        const at = yield* place
        const database = yield* openFresh
        yield* database.query(`CREATE SCHEMA ${database.schema}`)
        yield* database.query("CREATE TABLE pages (mine int)")
        const failure = yield* Effect.flip(Postgres.sink({ ...at, schema: database.schema }).connect)
        assert.strictEqual(failure.reason._tag, "SinkMisconfigured")
        assert.include(failure.message, `already holds "pages"`)
        const [left] = yield* database.query(
          "SELECT count(*) AS tables FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relkind = 'r'",
          [database.schema]
        )
        assert.deepStrictEqual(left, { tables: 1 })
      })
    )

    it.effect("say what of somebody else's is in the way of an upgrade, and change nothing", () =>
      Effect.gen(function* () {
        const database = yield* openFresh
        yield* Postgres.migrate(database, migrations.slice(0, 4))
        yield* database.query("CREATE VIEW current_pages AS SELECT 1 AS mine")
        const failure = yield* Effect.flip(Postgres.migrate(database))
        assert.include(failure.message, `under a name it needs (relation "current_pages" already exists)`)
        assert.deepStrictEqual(yield* database.query("SELECT mine FROM current_pages"), [{ mine: 1 }])
        assert.lengthOf(yield* database.query("SELECT id FROM sluice_migrations"), 4)
      })
    )

    it.effect("comment every table, column and view", () =>
      Effect.gen(function* () {
        const database = yield* openMigrated
        const silent = yield* database.query(
          `SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
           WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum >= 0 AND NOT a.attisdropped
             AND (a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL)`,
          [database.schema]
        )
        assert.deepStrictEqual(silent, [])
      })
    )
  })

  querySuite(name, place)

  describe(`${name}: rows`, () => {
    it.effect("are safe for JSON, the same from every driver", () =>
      Effect.gen(function* () {
        const database = yield* openMigrated
        const rows = yield* Postgres.query(
          database,
          `SELECT 1::int8 AS small, 9007199254740993::int8 AS big, '2026-01-02 03:04:05+00'::timestamptz AS at,
             'infinity'::timestamptz AS never, '{"a": [1]}'::jsonb AS json, 1.50::numeric AS exact, true AS yes,
             ARRAY['a', NULL] AS list, ARRAY[1::int8] AS numbers, NULL AS nothing, date '2026-01-02' AS day, 'NaN'::float8 AS nan`
        )
        assert.deepStrictEqual(rows, [
          {
            small: 1,
            big: "9007199254740993",
            at: "2026-01-02T03:04:05.000Z",
            never: "infinity",
            json: { a: [1] },
            exact: "1.50",
            yes: true,
            list: ["a", null],
            numbers: [1],
            nothing: null,
            day: "2026-01-02",
            nan: "NaN"
          }
        ])
      })
    )
  })

  describe(`${name}: what only the server refuses`, () => {
    it.effect("is found by halving and set aside, while the rest lands", () =>
      Effect.gen(function* () {
        const { sink, database, read } = yield* sinkIn(yield* place, "append")
        const { write } = yield* startRun(sink, yield* sink.connect)
        yield* database.query("ALTER TABLE pages ADD CONSTRAINT no_seven CHECK (url NOT LIKE '%7')")
        const records = Array.from({ length: 40 }, (_, at) => sampleRecord(`https://a.example/${at}`))
        const result = yield* write(0, records)
        assert.deepStrictEqual(result, {
          rows: { pages: 36, links: 72, page_metadata: 36 },
          deadLetters: 4
        })
        const loaded = yield* read
        assert.lengthOf(loaded.pages, 36)
        const deadLetters = yield* database.query(
          "SELECT reason, detail, raw::json->>'url' AS url FROM dead_letters ORDER BY url"
        )
        assert.lengthOf(deadLetters, 4)
        assert.strictEqual(deadLetters[0]!.url, "https://a.example/17")
        assert.strictEqual(deadLetters[0]!.reason, "refused")
        assert.match(String(deadLetters[0]!.detail), /check constraint .*\(SQLSTATE 23514\)$/)
      })
    )
  })

  describe(`${name}: a second delivery in merge`, () => {
    it.effect("leaves what is unchanged to its job, and counts as the latest", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "merge")
        const connection = yield* sink.connect
        const same = sampleRecord("https://a.example/same")
        const changed = sampleRecord("https://a.example/changed")
        const first = yield* startRun(sink, connection)
        yield* first.write(0, [same, changed])
        const second = yield* startRun(sink, connection)
        yield* second.write(0, [
          { ...same, jobId: "job-2" },
          { ...changed, jobId: "job-2", links: [] }
        ])
        const rows = yield* database.query(
          `SELECT c.job_id AS content, d.job_id AS delivery, p.landed_at > j.first_seen_at AS later
           FROM pages p JOIN page_metadata m USING (set_no, page_key) JOIN jobs c ON c.job_no = p.job_no
           JOIN jobs d ON d.job_no = m.job_no JOIN jobs j ON j.job_id = 'job-2' ORDER BY p.url`
        )
        assert.deepStrictEqual(rows, [
          { content: "job-2", delivery: "job-2", later: true },
          { content: "job-1", delivery: "job-2", later: false }
        ])
      })
    )
  })

  describe(`${name}: inbound links`, () => {
    it.effect("are found through their function", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "merge")
        const { write } = yield* startRun(sink, yield* sink.connect)
        yield* write(0, [sampleRecord("https://a.example/1", { links: ["https://x.example/", "https://y.example/"] })])
        assert.deepStrictEqual(yield* database.query("SELECT position, url FROM links_to('https://y.example/')"), [
          { position: 1, url: "https://y.example/" }
        ])
      })
    )
  })
}
