import { assert } from "@effect/vitest"
import { Crawl, Pipeline } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { crawlHistory, makeSite } from "@sluice/testkit"
import { Clock, Effect, Fiber, Schedule, Stream } from "effect"
import { atOnce, simulated } from "../core/simulated.ts"

/** Pages of the site that a life crawls. */
export const pagesOfLife = 60

/** The site that a life crawls. */
export const siteOfLife = makeSite({ pages: pagesOfLife, seed: 11 })

/** The schema that a life loads into. */
export const schemaOfLife = "Crawl data"

/** What is asked by `query`, whose answer settings could change. */
export const questions: ReadonlyArray<string> = [
  `SELECT timestamptz '2026-01-02 03:04:05.678+00' AS at, timestamptz '2026-02-01 00:00:00+05:30' AS then,
     ARRAY[timestamptz '2026-03-04 00:00:00+00'] AS list, date '2026-01-02' AS day, timestamp '2026-01-02 03:04:05' AS local,
     interval '1 day 02:03:04' AS lasts, '\\x00ff'::bytea AS bytes, 'a\\b' AS text, 0.1::float8 AS small, 1.0::float4 / 3 AS third,
     '{null,1}'::text[] AS nulls, (NULL = NULL) IS NULL AS is_null, to_char(1234.5, 'FM9G999D9') AS number,
     current_setting('timezone') AS zone, '01/02/2026'::date AS typed, format('%I', 'pages') AS named, 'ünïcödé 漢字' AS far`,
  "SELECT count(*) AS pages, min(status) AS least, max(pg_typeof(landed_at)::text) AS type FROM current_pages",
  "SELECT url, status, md5(coalesce(markdown, '')) AS content, depth FROM current_pages ORDER BY url",
  "SELECT page_url, url, position FROM current_links ORDER BY 1, 3",
  "SELECT m.http_status, m.duration_ms, m.retry_count, p.url FROM current_page_metadata m JOIN pages p USING (set_no, page_key) ORDER BY 4",
  "SELECT pages_completed, pages_discovered, tokens_charged FROM token_summaries",
  "SELECT day = (now() AT TIME ZONE 'UTC')::date AS is_today, pages_completed, tokens_charged, pg_typeof(day)::text AS type FROM daily_tokens",
  "SELECT change, count(*) FROM changed_pages GROUP BY 1",
  "SELECT reason, detail, url FROM dead_letters ORDER BY url",
  "SELECT to_char(started_at, 'TZ') AS zone, started_at <= finished_at AS is_ordered FROM runs"
]

/** A run that is interrupted, resumed, listed, audited and asked about, and whose dead letters are replayed. */
export const livedThrough = Effect.fnUntraced(function* (url: string) {
  const schema = schemaOfLife
  const api = yield* simulated({ site: siteOfLife, crawl: () => crawlHistory(siteOfLife, { perPoll: 7 }) })
  const pipeline = Pipeline.make({
    name: "docs",
    source: Crawl.make({ url: "https://site.test/" }),
    sinks: [Postgres.sink({ url, schema })]
  })
  const database = yield* Postgres.open({ url, schema })
  yield* Postgres.migrate(database)
  yield* database.query("ALTER TABLE pages ADD CONSTRAINT no_seven CHECK (url !~ '7$')")
  const ledger = Postgres.ledger(database)
  const attempt = (options: object = {}) =>
    Pipeline.execute(pipeline, {
      segmentDelayMs: 1,
      segmentRecords: 5,
      drain: "20 millis",
      adoption: { lag: "30 millis", pause: "5 millis" },
      reader: atOnce,
      ledger,
      ...options
    }).pipe(Effect.provide(api.layer))
  const startedAt = yield* Clock.currentTimeMillis
  const first = yield* Effect.forkChild(attempt())
  yield* Effect.repeat(database.query("SELECT count(*) AS landed FROM segments"), {
    schedule: Schedule.spaced("5 millis"),
    // One that has ended lands nothing more.
    until: ([row]) => Number(row?.landed) >= 2 || first.pollUnsafe() !== undefined
  })
  assert.isUndefined(first.pollUnsafe(), `it ended before it was interrupted: ${String(first.pollUnsafe())}`)
  yield* Fiber.interrupt(first)
  const [open] = yield* ledger.runs({ limit: 1 })
  const { receipt } = yield* attempt({ resume: { runId: open!.runId } })
  const [run] = yield* ledger.runs({ limit: 1 })
  const findings = yield* Stream.runCollect(
    Pipeline.audit(pipeline, { runId: open!.runId, ledger, askApi: true }).pipe(Stream.provide(api.layer))
  )
  const answers = yield* Effect.forEach(questions, (question) => Postgres.query(database, question))
  const letters = yield* Postgres.deadLetters(database).list()
  yield* database.query("ALTER TABLE pages DROP CONSTRAINT no_seven")
  const replay = yield* Postgres.deadLetters(database).replay({})
  const after = yield* Effect.forEach(questions.slice(1), (question) => Postgres.query(database, question))
  const now = yield* Clock.currentTimeMillis
  for (const at of [run!.startedAt, run!.finishedAt!, ...letters.map(({ createdAt }) => Date.parse(createdAt))]) {
    assert.isTrue(at >= startedAt - 60_000 && at <= now + 60_000, `${new Date(at).toISOString()} is about now`)
  }
  for (const { createdAt } of letters) assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.strictEqual(receipt.status, "completed")
  assert.strictEqual(api.simulator.charges.received("POST"), 1)
  assert.deepStrictEqual(findings, [])
  return {
    receipt: { status: receipt.status, pages: receipt.pages, tokens: receipt.tokens, sinks: receipt.sinks },
    run: { status: run!.status, pipeline: run!.pipeline },
    letters: letters
      .map(({ reason, url: page, detail }) => ({ reason, page, detail }))
      .sort((a, b) => (a.page < b.page ? -1 : 1)),
    replay: { loaded: replay.loaded, superseded: replay.superseded, refused: [...replay.refused] },
    answers,
    after
  }
}, Effect.scoped)
