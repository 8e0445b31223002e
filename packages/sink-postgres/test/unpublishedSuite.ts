import { assert, describe, it } from "@effect/vitest"
import { Pipeline } from "@sluice/core"
import type { SentItem } from "@sluice/testkit"
import { Effect } from "effect"
import { Postgres } from "../src/index.ts"
import { sweepSets } from "../src/publish/SweepSets.ts"
import { type Place, sinkIn } from "./databases.ts"
import { killAt } from "./killAt.ts"
import { type Difference, recrawling } from "./recrawl.ts"

const ofSink = { pipeline: "again", sink: "postgres" } as const

/** What becomes of a run that is loaded whole and would leave readers with too little. */
export const unpublishedSuite = (name: string, place: Effect.Effect<Place>): void => {
  const setUp = Effect.fnUntraced(function* (
    mode: "replace" | "history" | "merge",
    options: { readonly close_after?: number; readonly retain?: { readonly runs: number } } = {}
  ) {
    const { database, sink } = yield* sinkIn(yield* place, mode, options)
    const counts = Effect.map(
      database.query(
        `SELECT (SELECT count(*) FROM current_pages WHERE status = 'completed')::int AS shown,
           (SELECT count(*) FROM pages)::int AS held`
      ),
      ([row]) => row
    )
    const states = Effect.map(database.query("SELECT state FROM page_sets ORDER BY set_no"), (rows) =>
      rows.map(({ state }) => state)
    )
    /** Crawls once more, and answers the receipt, the POSTs, and how to publish the run. */
    const crawl = (nth: number, difference: Difference = {}) =>
      Effect.scoped(
        Effect.gen(function* () {
          const { pipeline, run, simulator } = yield* recrawling(sink, nth, difference)
          const receipt = yield* run
          const publish = Pipeline.publish(pipeline, { runId: receipt.run_id, writeRetries: 0 })
          return { receipt, publish, run, posts: simulator.charges.received("POST") }
        })
      )
    return { counts, crawl, database, sink, states }
  })
  const most = [400, 1000] as const

  describe(`${name}: a run that would take most pages from readers`, () => {
    it.live("is loaded and not published in replace; `publish` shows it, and again changes nothing", () =>
      Effect.gen(function* () {
        const { counts, crawl, database } = yield* setUp("replace")
        assert.strictEqual((yield* crawl(1)).receipt.status, "completed")
        const short = yield* crawl(2, { gone: most })
        assert.deepInclude(short.receipt, {
          status: "failed",
          reason:
            'publishing this run would leave readers of sink "postgres" with 400 of the 1000 pages they have, fewer than half; where that is meant, set "allow_shrink: true"',
          unpublished: { guard: "shrink", sinks: [{ name: "postgres", readers: "readers see none of it" }] }
        })
        assert.strictEqual(short.posts, 1)
        assert.deepStrictEqual(yield* counts, { shown: 1000, held: 1400 })
        assert.strictEqual((yield* short.publish).result, "published")
        assert.deepStrictEqual(yield* counts, { shown: 400, held: 400 })
        assert.strictEqual((yield* short.publish).result, "already")
        // What readers have is what was published last.
        assert.strictEqual((yield* crawl(3, { gone: most })).receipt.status, "completed")
        assert.strictEqual((yield* crawl(4, { gone: [201, 1000] })).receipt.status, "completed")
        assert.strictEqual((yield* crawl(5, { gone: [100, 1000] })).receipt.status, "failed")
        assert.strictEqual((yield* crawl(6, { gone: [100, 1000], allow_shrink: true })).receipt.status, "completed")
        assert.deepStrictEqual(yield* counts, { shown: 100, held: 100 })
        assert.deepStrictEqual(yield* database.query("SELECT completed_pages FROM page_sets WHERE state = 'current'"), [
          { completed_pages: 100 }
        ])
      })
    )

    it.live("counts pages that completed: a site of failures is no site, and half is enough", () =>
      Effect.gen(function* () {
        const { crawl, counts } = yield* setUp("replace")
        const first = yield* crawl(1, { failed: [0, 600] })
        assert.strictEqual(first.receipt.status, "completed")
        assert.deepInclude(yield* counts, { shown: 400 })
        assert.strictEqual((yield* crawl(2, { failed: [0, 800] })).receipt.status, "completed")
        const worse = yield* crawl(3, { failed: [0, 901] })
        assert.strictEqual(worse.receipt.status, "failed")
        assert.match(worse.receipt.reason ?? "", /with 99 of the 200 pages/)
        assert.deepInclude(yield* counts, { shown: 200 })
      })
    )

    it.live("says that a limit was reached, and counts sets that an earlier build published", () =>
      Effect.gen(function* () {
        const { crawl, database } = yield* setUp("replace")
        yield* crawl(1)
        yield* database.query("UPDATE page_sets SET completed_pages = NULL")
        const cut = yield* crawl(2, { gone: [10, 1000], limit: 10 })
        assert.match(
          cut.receipt.reason ?? "",
          /with 10 of the 1000 pages they have, fewer than half \(the crawl reached its limit of 10: a lower limit leaves fewer pages\)/
        )
      })
    )

    it.live("is judged as before by the attempt after one that died as it published or ended", () =>
      Effect.gen(function* () {
        const { counts, crawl, database, sink } = yield* setUp("replace")
        yield* crawl(1)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { run } = yield* recrawling(sink, 2, { gone: most, lease: "300 millis" })
            const { repair } = yield* killAt(database, "AFTER UPDATE OF finished_at ON runs")
            yield* run
            yield* repair
            const [open] = yield* database.query("SELECT count(*)::int AS open FROM runs WHERE finished_at IS NULL")
            assert.deepStrictEqual(open, { open: 1 })
            const receipt = yield* run
            assert.strictEqual(receipt.unpublished?.guard, "shrink")
            assert.deepStrictEqual(yield* counts, { shown: 1000, held: 1400 })
          })
        )
        // One that was to be published, and died once it was: the next attempt finds it shown, and ends it.
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { run, simulator } = yield* recrawling(sink, 3, { gone: [500, 1000], lease: "300 millis" })
            const { repair } = yield* killAt(database, "AFTER UPDATE OF finished_at ON runs")
            yield* run
            yield* repair
            assert.strictEqual((yield* run).status, "completed")
            assert.deepInclude(yield* counts, { shown: 500 })
            assert.strictEqual(simulator.charges.received("POST"), 1)
          })
        )
      })
    )

    it.live("is published whole or not at all by a `publish` that dies, and whole by the next", () =>
      Effect.gen(function* () {
        for (const event of ["AFTER UPDATE ON page_sets", "AFTER UPDATE OF published_at ON runs"]) {
          const { counts, crawl, database } = yield* setUp("replace")
          yield* crawl(1)
          const short = yield* crawl(2, { gone: most })
          const { repair } = yield* killAt(database, event)
          yield* Effect.flip(short.publish)
          const between = event.endsWith("page_sets") ? 1000 : 400
          assert.deepInclude(yield* counts, { shown: between })
          yield* repair
          assert.strictEqual((yield* short.publish).result, "published")
          assert.deepStrictEqual(yield* counts, { shown: 400, held: 400 })
        }
      })
    )

    it.live("cannot be published once a later run is, and its pages go with that", () =>
      Effect.gen(function* () {
        const { counts, crawl } = yield* setUp("replace")
        yield* crawl(1)
        const short = yield* crawl(2, { gone: most })
        yield* crawl(3)
        assert.deepStrictEqual(yield* counts, { shown: 1000, held: 1000 })
        const refused = yield* Effect.flip(short.publish)
        assert.deepInclude(refused, { _tag: "PublishRefused" })
        assert.strictEqual(
          refused.message,
          `sink "postgres": a later run of this pipeline has been published, and the pages of run ${short.receipt.run_id} are no longer kept`
        )
        assert.deepStrictEqual(yield* counts, { shown: 1000, held: 1000 })
      })
    )

    it.live("is kept while it is one of the newest three, and for thirty days: sweeps take what is older", () =>
      Effect.gen(function* () {
        const { counts, crawl, database, states } = yield* setUp("replace")
        yield* crawl(1)
        const runs = []
        for (let nth = 2; nth < 6; nth++) runs.push(yield* crawl(nth, { gone: [100, 1000] }))
        yield* sweepSets(database, ofSink)
        assert.deepStrictEqual(yield* states, ["current", "removed", "open", "open", "open"])
        assert.deepStrictEqual(yield* counts, { shown: 1000, held: 1300 })
        const refused = yield* Effect.flip(runs[0]!.publish)
        assert.match(refused.message, /no longer kept: of runs that ended without being published, the newest 3 are/)
        yield* database.query("UPDATE runs SET finished_at = finished_at - interval '29 days' WHERE run_id = $1", [
          runs[1]!.receipt.run_id
        ])
        yield* sweepSets(database, ofSink)
        assert.deepInclude(yield* counts, { held: 1300 })
        yield* database.query("UPDATE runs SET finished_at = finished_at - interval '2 days' WHERE run_id = $1", [
          runs[1]!.receipt.run_id
        ])
        yield* sweepSets(database, ofSink)
        assert.deepStrictEqual(yield* states, ["current", "removed", "removed", "open", "open"])
        assert.strictEqual((yield* runs[2]!.publish).result, "published")
        assert.deepStrictEqual(yield* counts, { shown: 100, held: 200 })
        // A later one that was not published either still can be.
        assert.strictEqual((yield* runs[3]!.publish).result, "published")
        assert.deepStrictEqual(yield* counts, { shown: 100, held: 100 })
      })
    )

    it.live("leaves dead letters that can be replayed before it is published, and are counted then", () =>
      Effect.gen(function* () {
        const { counts, crawl, database } = yield* setUp("replace")
        // No text of Postgres holds a NUL byte.
        const poisoning = (item: SentItem): SentItem =>
          /[02468]$/.test(String(item.url)) ? { ...item, data: { ...(item.data as object), markdown: "a\0b" } } : item
        const first = yield* crawl(1)
        assert.strictEqual(first.receipt.status, "completed")
        const poisoned = yield* crawl(2, { reshape: poisoning })
        assert.strictEqual(poisoned.receipt.unpublished?.guard, "quarantine")
        const deadLetters = poisoned.receipt.sinks[0]!.dead_letters
        assert.isAbove(deadLetters, 400)
        assert.match(
          poisoned.receipt.reason ?? "",
          new RegExp(
            `^sink "postgres" put ${deadLetters} of 1000 records in quarantine, and "quarantine" allows a share of 0\\.1`
          )
        )
        const replay = yield* Postgres.deadLetters(database).replay(
          { runId: poisoned.receipt.run_id },
          { replace: true }
        )
        assert.strictEqual(replay.loaded, deadLetters)
        assert.deepInclude(yield* counts, { shown: 1000 })
        yield* poisoned.publish
        assert.deepStrictEqual(yield* counts, { shown: 1000, held: 1000 })
        // What was replayed counts as what readers have.
        assert.match((yield* crawl(3, { gone: [499, 1000] })).receipt.reason ?? "", /499 of the 1000/)
      })
    )
  })

  describe(`${name}: a run that would close most pages in history`, () => {
    it.live("shows what it found and closes nothing, until it is published", () =>
      Effect.gen(function* () {
        const { counts, crawl, database } = yield* setUp("history", { close_after: 1 })
        yield* crawl(1)
        const short = yield* crawl(2, { changed: [0, 10], gone: most })
        assert.deepInclude(short.receipt, {
          status: "failed",
          unpublished: {
            guard: "shrink",
            sinks: [
              { name: "postgres", readers: "readers see the pages it found, and no page was closed for being missing" }
            ]
          }
        })
        assert.match(short.receipt.reason ?? "", /with 400 of the 1000 pages/)
        assert.deepInclude(yield* counts, { shown: 1000 })
        assert.deepStrictEqual(yield* database.query("SELECT count(*)::int AS versions FROM page_history"), [
          { versions: 10 }
        ])
        yield* short.publish
        yield* short.publish
        assert.deepInclude(yield* counts, { shown: 400 })
      })
    )

    it.live("is one that closes what has been missing for long enough, however many runs it takes", () =>
      Effect.gen(function* () {
        const { counts, crawl } = yield* setUp("history", { close_after: 3 })
        yield* crawl(1)
        for (const nth of [2, 3]) {
          assert.strictEqual((yield* crawl(nth, { gone: most })).receipt.status, "completed")
          assert.deepInclude(yield* counts, { shown: 1000 })
        }
        const third = yield* crawl(4, { gone: most })
        assert.match(third.receipt.reason ?? "", /with 400 of the 1000 pages/)
        assert.deepInclude(yield* counts, { shown: 1000 })
        const fourth = yield* crawl(5, { gone: most })
        assert.strictEqual(fourth.receipt.unpublished?.guard, "shrink")
        const refused = yield* Effect.flip(third.publish)
        assert.match(refused.message, /a later run of this pipeline has been loaded since run/)
        // Fewer than half may go.
        assert.strictEqual((yield* crawl(6, { gone: [501, 1000] })).receipt.status, "completed")
        assert.deepInclude(yield* counts, { shown: 501 })
      })
    )

    it.live("is none where pages failed, or where a limit was reached", () =>
      Effect.gen(function* () {
        const { counts, crawl } = yield* setUp("history", { close_after: 1 })
        yield* crawl(1)
        assert.strictEqual((yield* crawl(2, { failed: [10, 1000] })).receipt.status, "completed")
        assert.strictEqual((yield* crawl(3, { gone: [10, 1000], limit: 10 })).receipt.status, "completed")
        assert.deepInclude(yield* counts, { shown: 1000 })
      })
    )
  })

  describe(`${name}: a run in merge that is not published`, () => {
    it.live("is with readers all the same, and says so", () =>
      Effect.gen(function* () {
        const { counts, crawl } = yield* setUp("merge")
        yield* crawl(1, { gone: most })
        const short = yield* crawl(2, { expect: { min_pages: 2000 } })
        assert.deepStrictEqual(short.receipt.unpublished, {
          guard: "expect",
          sinks: [
            { name: "postgres", readers: "readers see its pages already, as mode merge shows them when they land" }
          ]
        })
        assert.deepInclude(yield* counts, { shown: 1000 })
        assert.strictEqual((yield* short.publish).result, "published")
        assert.strictEqual((yield* short.publish).result, "already")
      })
    )
  })
}
