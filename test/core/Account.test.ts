import { assert, describe, it } from "@effect/vitest"
import { Batch, Extract, type Ledger, makeLedgerMemory, Pipeline, type Receipt, Scraper } from "@sluice/core"
import { noTally, type Submission } from "@sluice/core/sink"
import { crawlHistory, makeSite } from "@sluice/testkit"
import { Clock, DateTime, Effect, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { crawl, setting, urls } from "./attempts.ts"

const day = 86_400_000
const midnight = Date.parse("2026-05-10T00:00:00Z")
const lease = { holder: "a/1/b", durationMs: 60_000 }
const dateOf = (millis: number) => DateTime.formatIsoDateUtc(DateTime.makeUnsafe(millis))

/** An API that tells of so many tokens a day, or answers something else. */
const accountOf = (
  tokens: Readonly<Record<string, number>>,
  over: Readonly<Record<string, unknown>> = {},
  status = 200
) => {
  const asked: Array<URL> = []
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      asked.push(url)
      const rows = Object.entries(tokens).map(([date, used]) => ({ date: `${date}T00:00:00Z`, tokens_used: used }))
      const total = rows.reduce((sum, { tokens_used }) => sum + tokens_used, 0)
      const body = { period_tokens_used: total, tokens_used: rows, requests: [], ...over }
      return HttpClientResponse.fromWeb(request, Response.json(body, { status }))
    })
  )
  const layer = Scraper.layer({
    baseUrl: "https://api.test",
    apiKey: Redacted.make("key"),
    retries: 0
  }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))
  return { asked, layer }
}

interface Work {
  readonly from: number
  readonly to: number
  readonly tokens: number
  /** Whether the job was seen to end; without, it is known to have been submitted alone. */
  readonly isSeen?: boolean
  readonly jobId?: string | null
}

let made = 0

/** A run of a ledger that did some work between two instants. */
const ran = Effect.fnUntraced(function* (ledger: Ledger, works: ReadonlyArray<Work>, pipeline = "p") {
  const startedAt = Math.min(...works.map(({ from }) => from)) + made++
  const run = yield* ledger.begin({ pipeline, configHash: "c", startedAt }, lease)
  for (const [ordinal, { from, isSeen = true, jobId = `job-${made}-${ordinal}`, to, tokens }] of works.entries()) {
    const submission: Submission = {
      ordinal,
      kind: "crawl",
      url: "https://site.test/",
      requestHash: `${ordinal}`,
      submittedAt: from,
      tokens: isSeen ? 10_000 : tokens,
      jobId
    }
    yield* ledger.recordIntent(run, submission)
    if (jobId !== null) yield* ledger.recordJob(run, ordinal, jobId)
    if (!isSeen || jobId === null) continue
    yield* ledger.commit({
      runId: run.runId,
      epoch: run.epoch,
      sink: "s",
      seq: ordinal + 1,
      bytes: 0,
      keys: [],
      deadLetters: 0,
      rows: { pages: 0, links: 0, page_metadata: 0, token_summaries: 1 },
      tally: { ...noTally, completed: tokens },
      jobs: [
        {
          jobId,
          kind: "crawl",
          url: "https://site.test/",
          status: "completed",
          discovered: tokens,
          completed: tokens,
          failed: 0,
          cancelled: 0,
          tokensCharged: tokens,
          tokensReserved: 0,
          observedAt: to
        }
      ]
    })
  }
  return run
})

const audit = (ledger: Ledger, { layer }: ReturnType<typeof accountOf>, days = 5) =>
  Pipeline.auditAccount({ ledger, days }).pipe(Effect.provide(layer))

describe("an audit of the account", () => {
  it.effect("finds nothing where runs explain every charge, also of jobs that span midnight", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight + day / 2)
      const ledger = makeLedgerMemory()
      yield* ran(ledger, [{ from: midnight - day / 2, to: midnight + 1000, tokens: 30 }])
      yield* ran(ledger, [{ from: midnight + 3_600_000, to: midnight + 4_000_000, tokens: 7 }], "q")
      // Charged just before midnight by the API's clock, just after it by ours.
      yield* ran(ledger, [{ from: midnight - day + 30_000, to: midnight - day + 60_000, tokens: 2 }])
      const api = accountOf({ "2026-05-08": 2, "2026-05-09": 18, "2026-05-10": 19 })
      const { days, findings } = yield* audit(ledger, api)
      assert.deepStrictEqual(findings, [])
      assert.deepStrictEqual(
        days.map(({ charged, date, explained, runs }) => [date, charged, explained, runs]),
        [
          ["2026-05-06", 0, 0, 0],
          ["2026-05-07", 0, 0, 0],
          ["2026-05-08", 2, 2, 1],
          ["2026-05-09", 18, 18, 2],
          ["2026-05-10", 19, 19, 2]
        ]
      )
      assert.lengthOf(api.asked, 1)
      assert.strictEqual(api.asked[0]?.searchParams.get("start_date"), "2026-05-06T00:00:00.000Z")
    })
  )

  it.effect("names the days whose charges no run explains, with what ran on them", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight + day / 2)
      const ledger = makeLedgerMemory()
      const noon = midnight - day / 2
      const run = yield* ran(ledger, [{ from: noon, to: noon + 1000, tokens: 12, jobId: "ours" }])
      const { days, findings } = yield* audit(ledger, accountOf({ "2026-05-08": 5, "2026-05-09": 20 }))
      assert.deepStrictEqual(
        findings.map(({ detail, kind, subject, where }) => [kind, where, subject, detail]),
        [
          [
            "differs",
            "account",
            "2026-05-08",
            "the API has charged 5 tokens, of which runs explain 0: 5 are of no run in this ledger"
          ],
          [
            "differs",
            "account",
            "2026-05-09",
            "the API has charged 20 tokens, of which runs explain 12: 8 are of no run in this ledger"
          ]
        ]
      )
      assert.deepStrictEqual(days[3]?.runsOfDay, [
        {
          runId: run.runId,
          pipeline: "p",
          tokens: 12,
          jobs: 1,
          works: [{ jobId: "ours", kind: "crawl", charged: 12, maybe: 0 }]
        }
      ])
      assert.isEmpty(days[2]?.runsOfDay)
    })
  )

  it.effect("names what runs were charged and the account does not show, once the day is over", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight + day / 2)
      const ledger = makeLedgerMemory()
      yield* ran(ledger, [{ from: midnight - day / 2, to: midnight - day / 3, tokens: 12 }])
      yield* ran(ledger, [{ from: midnight + day / 4, to: midnight + day / 3, tokens: 9 }])
      const { days, findings } = yield* audit(ledger, accountOf({ "2026-05-09": 10 }))
      assert.deepStrictEqual(
        findings.map(({ kind, subject }) => [kind, subject]),
        [
          ["differs", "2026-05-09"],
          ["unknown", "2026-05-10"]
        ]
      )
      assert.deepStrictEqual(
        days.slice(3).map(({ missing }) => missing),
        [2, 9]
      )
    })
  )

  it.effect("lets lost answers, jobs that were not seen to end, and work that began before explain what they may", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight + day / 2)
      const noon = midnight - day / 2
      const ledger = makeLedgerMemory()
      yield* ran(ledger, [
        { from: noon, to: noon, tokens: 3, isSeen: false, jobId: null },
        { from: noon, to: noon, tokens: 4, isSeen: false }
      ])
      yield* ran(ledger, [{ from: midnight - 6 * day, to: midnight - 4 * day + 1000, tokens: 50 }])
      const { findings } = yield* audit(ledger, accountOf({ "2026-05-06": 11, "2026-05-09": 6, "2026-05-10": 1 }))
      assert.deepStrictEqual(findings, [])
      const more = yield* audit(ledger, accountOf({ "2026-05-09": 8 }))
      assert.include(more.findings[0]?.detail, "charged 8 tokens, of which runs explain 7")
    })
  )

  it.effect("goes by the receipt where the jobs of a run are not known", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight + day / 2)
      const ledger = makeLedgerMemory()
      const run = yield* ledger.begin({ pipeline: "p", configHash: "c", startedAt: midnight - day / 2 }, lease)
      const receipt: Receipt = {
        run_id: run.runId,
        pipeline: "p",
        config_hash: "c",
        status: "completed",
        started_at: "2026-05-09T12:00:00.000Z",
        finished_at: "2026-05-09T13:00:00.000Z",
        jobs: [],
        pages: { discovered: 4, completed: 4, failed: 0, cancelled: 0, delivered: 4 },
        tokens: { charged: 4, reserved: 0 },
        sinks: [],
        requests: { submitted: 1, reads: 1, retries: 0 }
      }
      yield* ledger.end(run, receipt)
      const { findings } = yield* audit(ledger, accountOf({ "2026-05-09": 4 }))
      assert.deepStrictEqual(findings, [])
    })
  )

  it.effect("says what the API does not tell, or tells in contradiction", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight + day / 2)
      const ledger = makeLedgerMemory()
      const kinds = (api: ReturnType<typeof accountOf>) =>
        Effect.map(audit(ledger, api), ({ days, findings }) => [
          days.length,
          ...findings.map(({ detail, kind }) => `${kind}: ${detail}`)
        ])
      const [none, why] = yield* kinds(accountOf({}, {}, 501))
      assert.strictEqual(none, 0)
      assert.match(`${why}`, /^unknown: the API does not tell what the account was charged: .*501/)
      assert.deepStrictEqual((yield* kinds(accountOf({}, { tokens_used: [{ date: "?", tokens_used: 1 }] })))[0], 0)
      assert.deepStrictEqual(yield* kinds(accountOf({}, { period_tokens_used: 9 })), [
        5,
        "unknown: its days add up to 0 tokens, and it says that the period has cost 9"
      ])
      assert.deepStrictEqual(yield* kinds(accountOf({ "2026-04-01": 9 })), [
        5,
        "unknown: the API tells of a day that was not asked for"
      ])
      const refused = yield* Effect.flip(audit(ledger, accountOf({}, {}, 401)))
      assert.include(refused.message, "refused the API key")
    })
  )

  it.live("agrees with the simulator's books over all kinds of source, and finds what was asked for elsewhere", () =>
    Effect.gen(function* () {
      const site = makeSite({ pages: 90, seed: 4, failureRate: 0.1 })
      const ledger = makeLedgerMemory()
      const given = yield* setting({ site, crawl: () => crawlHistory(site, { perPoll: 20 }) }, { ledger })
      const sources = [crawl, Batch.make({ urls }), Extract.make({ urls }), Extract.make({ urls, mode: "sync" })]
      for (const [at, source] of sources.entries()) {
        const pipeline = Pipeline.make({ name: `source-${at}`, source, sinks: [given.sink.sink], orphans: "ignore" })
        yield* Pipeline.run(pipeline, { ledger, reader: { pollMin: "1 millis" } }).pipe(Effect.provide(given.layer))
      }
      const books = Pipeline.auditAccount({ ledger, days: 2 }).pipe(Effect.provide(given.layer))
      const { days, findings } = yield* books
      assert.deepStrictEqual(findings, [])
      assert.strictEqual(
        days.reduce((sum, { explained }) => sum + explained, 0),
        given.simulator.charges.tokens
      )
      yield* Effect.flatMap(Scraper, (scraper) => scraper.extractNow({ url: urls[0]! })).pipe(
        Effect.provide(given.layer)
      )
      const after = yield* books
      const now = yield* Clock.currentTimeMillis
      assert.deepStrictEqual(
        after.findings.map(({ kind, subject }) => [kind, subject]),
        [["differs", dateOf(now)]]
      )
    })
  )
})
