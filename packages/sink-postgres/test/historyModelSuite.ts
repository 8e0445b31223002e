import { assert, describe, it } from "@effect/vitest"
import type { PageRecord } from "@sluice/core"
import { pageKey } from "@sluice/core/sink"
import { sampleRecord, startRun } from "@sluice/testkit"
import { Effect } from "effect"
import fc from "fast-check"
import type { Database } from "../src/index.ts"
import { type Place, sinkIn } from "./databases.ts"
import { HistoryModel, type Sighting } from "./HistoryModel.ts"

/** A crawl: what it saw, how it came to its end, and what happened on the way. */
interface Crawl {
  readonly sightings: ReadonlyArray<Sighting>
  /** Pages a transform left out. */
  readonly skipped: ReadonlyArray<number>
  readonly end: "completed" | "reached its limit" | "incomplete"
  /** Whether it writes what is in each segment again, in another. */
  readonly again: boolean
  /** Whether another process goes on with it between its segments and its publishing. */
  readonly restarted: boolean
  /** Whether the one before publishes once more, as a process that died before it could end its run. */
  readonly late: boolean
}

const sighting: fc.Arbitrary<Sighting> = fc.record({
  page: fc.integer({ min: 0, max: 5 }),
  outcome: fc.constantFrom("body 0", "body 0", "body 1", "body 2", "failed", "cancelled"),
  took: fc.integer({ min: 0, max: 1 })
})

const crawl: fc.Arbitrary<Crawl> = fc.record({
  sightings: fc.uniqueArray(sighting, { maxLength: 6, selector: ({ page }) => page }),
  skipped: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 1 }),
  end: fc.constantFrom("completed", "completed", "completed", "reached its limit", "incomplete"),
  again: fc.boolean(),
  restarted: fc.boolean(),
  late: fc.boolean()
})

const urlOf = (page: number): string => `https://a.example/${page}`

const recordOf =
  (jobId: string) =>
  ({ outcome, page, took }: Sighting): PageRecord =>
    outcome === "failed" || outcome === "cancelled"
      ? sampleRecord(urlOf(page), { jobId, status: outcome, markdown: null, links: [], durationMs: took })
      : sampleRecord(urlOf(page), {
          jobId,
          markdown: outcome,
          links: [`https://b.example/${outcome}`],
          durationMs: took
        })

const closeAfter = 2

/** Any sequence of crawls leaves the versions that a model of them has. */
export const historyModelSuite = (name: string, place: Effect.Effect<Place>): void => {
  describe(`${name}: any sequence of crawls`, () => {
    it.effect("equals the model in history", () =>
      Effect.gen(function* () {
        const at = yield* place
        for (const crawls of fc.sample(fc.array(crawl, { minLength: 2, maxLength: 7 }), { seed: 7, numRuns: 8 })) {
          yield* Effect.scoped(follow(at, crawls))
        }
      })
    )
  })
}

const follow = Effect.fnUntraced(function* (at: Place, crawls: ReadonlyArray<Crawl>) {
  const { sink, database } = yield* sinkIn(at, "history", { close_after: closeAfter })
  const connection = yield* sink.connect
  const model = new HistoryModel(closeAfter)
  let before: Effect.Effect<void, unknown> = Effect.void
  for (const [index, { again, end, late, skipped, restarted, sightings }] of crawls.entries()) {
    const startedAt = 1_750_000_000_000 + index * 1000
    const begun = yield* startRun(sink, connection, { startedAt })
    const records = sightings.map(recordOf(`job-${index}`))
    const segments = [records.slice(0, 2), records.slice(2)]
    for (const [seq, segment] of segments.entries()) {
      yield* begun.write(seq, segment)
      if (again) yield* begun.write(segments.length + seq, segment)
    }
    for (const each of sightings) model.see(each)
    const { publishAs } = restarted
      ? yield* startRun(sink, connection, { ledger: begun.ledger, run: begun.run })
      : begun
    if (late) yield* before
    if (end !== "incomplete") {
      const publish = publishAs({
        isExhaustive: end === "completed",
        skipped: skipped.map((page) => pageKey(urlOf(page)))
      })
      yield* publish
      model.publish([...sightings.map(({ page }) => page), ...skipped], end === "completed")
      before = publish
    }
    assert.deepStrictEqual(yield* existing(database), model.existing(urlOf), `after crawl ${index}`)
  }
  assert.deepStrictEqual(yield* gaps(database), [])
})

const existing = Effect.fnUntraced(function* (database: Database) {
  const versions = yield* database.query(
    `SELECT url, status, markdown, closed_as, cardinality(links) AS links FROM page_versions
     ORDER BY url COLLATE "C", valid_from`
  )
  const current = yield* database.query(
    `SELECT url, status, markdown, (SELECT count(*)::int FROM current_links l WHERE l.page_url = p.url) AS links
     FROM current_pages p JOIN current_page_metadata m USING (set_no, page_key, url) ORDER BY url COLLATE "C"`
  )
  const missing = yield* database.query(
    `SELECT url, misses FROM missing_pages JOIN pages USING (set_no, page_key) ORDER BY url COLLATE "C"`
  )
  return { versions, current, missing }
})

/** Changed versions that are not followed by the next at once, and versions that overlap. */
const gaps = (database: Database) =>
  database.query(
    `SELECT url, valid_from FROM (
       SELECT *, lead(valid_from) OVER (PARTITION BY set_no, page_key ORDER BY valid_from) AS next FROM page_versions) v
     WHERE next < valid_to OR (closed_as = 'changed' AND next IS DISTINCT FROM valid_to) OR (valid_to IS NULL AND next IS NOT NULL)`
  )
