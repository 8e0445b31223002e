import { assert, describe, it } from "@effect/vitest"
import { Crawl, type Ledger, makeLedgerMemory, Pipeline, type Sink } from "@sluice/core"
import { LedgerError, LedgerUnavailable } from "@sluice/core/sink"
import { Directory } from "@sluice/sink-s3"
import { crawlHistory, makeSite } from "@sluice/testkit"
import { Effect, Layer, Logger, Option } from "effect"
import type { Resume } from "../../packages/core/src/run/acquire/acquireRun.ts"
import { folder } from "../../packages/sink-s3/test/folder.ts"
import { filesOf, readLake } from "../../packages/sink-s3/test/readLake.ts"
import { memorySink } from "./MemorySink.ts"
import { atOnce, simulated } from "./simulated.ts"

const source = Crawl.make({ url: "https://site.test/", limit: 1000 })

type Parts = Parameters<typeof Pipeline.make>[0]

/** A site of so many pages, behind an API, crawled into sinks by one run. */
const crawl = Effect.fnUntraced(function* (
  pages: number,
  nth: number,
  parts: Pick<Parts, "sinks"> & Partial<Parts>,
  ledger: Ledger = makeLedgerMemory(),
  failureRate = 0
) {
  const site = makeSite({ pages, seed: 5, failureRate })
  const { layer, simulator } = yield* simulated({ seed: nth, site, crawl: () => crawlHistory(site, { perPoll: 50 }) })
  const pipeline = Pipeline.make({ name: "test", source, ...parts })
  const attempt = (resume: Resume) =>
    Pipeline.execute(pipeline, { reader: atOnce, segmentDelayMs: 5, segmentRecords: 20, ledger, resume }).pipe(
      Effect.provide(Layer.merge(layer, Logger.layer([])))
    )
  const { failure, receipt } = yield* attempt("auto")
  const resume = attempt({ runId: receipt.run_id })
  const publish = Pipeline.publish(pipeline, { runId: receipt.run_id, ledger })
  return { failure, resume, ledger, pipeline, publish, receipt, posts: simulator.charges.received("POST") }
})

const keptBy = (ledger: Ledger) => (runId: string) =>
  Effect.map(ledger.unpublished("test"), (kept) => kept.some((run) => run.runId === runId))

const refusal = (pipeline: Pipeline, ledger: Ledger, runId: string) =>
  Effect.map(Effect.flip(Pipeline.publish(pipeline, { runId, ledger })), ({ message }) => message)

const lake = Effect.fnUntraced(function* (mode: "append" | "replace") {
  const path = yield* folder
  const options = { path, mode, name: "lake" } as const
  const shown = Effect.promise(async () => {
    const { rows, runs } = await readLake(filesOf(path), "test")
    return { pages: rows("pages").length, runs: runs.map(({ run_id }) => run_id), status: runs.at(-1)?.status }
  })
  return { options, sink: Directory.sink(options), shown }
})

describe("a run that would take most pages from readers of a lake", () => {
  it.live("is loaded and not published in replace; `publish` moves the pointer, and again changes nothing", () =>
    Effect.gen(function* () {
      const { options, shown, sink } = yield* lake("replace")
      const { ledger, receipt: first } = yield* crawl(120, 1, { sinks: [sink] })
      assert.strictEqual(first.status, "completed")
      const short = yield* crawl(59, 2, { sinks: [sink] }, ledger)
      assert.deepInclude(short.receipt, {
        status: "failed",
        reason:
          'publishing this run would leave readers of sink "lake" with 59 of the 120 pages they have, fewer than half; where that is meant, set "allow_shrink: true"',
        unpublished: { guard: "shrink", sinks: [{ name: "lake", readers: "readers see none of it" }] }
      })
      assert.strictEqual(Option.getOrUndefined(short.failure)?._tag, "ReadersWouldLose")
      assert.strictEqual(short.posts, 1)
      assert.deepInclude(yield* shown, { pages: 120, runs: [first.run_id] })

      // Nothing resumes it; the collection keeps it while it may be published.
      assert.isUndefined(yield* ledger.open({ pipeline: "test" }))
      const resumed = yield* Effect.flip(short.resume)
      assert.strictEqual(
        resumed.message,
        `run ${short.receipt.run_id} was loaded whole and ended unpublished, so there is nothing to resume: "sluice publish ${short.receipt.run_id}" publishes it`
      )
      yield* Directory.collectGarbage(options, { pipeline: "test", isKept: keptBy(ledger), olderThan: -60_000 })

      assert.strictEqual((yield* short.publish).result, "published")
      assert.deepStrictEqual(yield* shown, { pages: 59, runs: [short.receipt.run_id], status: "completed" })
      assert.strictEqual((yield* short.publish).result, "already")
      assert.isEmpty(yield* ledger.unpublished("test"))
      // Readers have 59 pages by now.
      assert.strictEqual((yield* crawl(30, 3, { sinks: [sink] }, ledger)).receipt.status, "completed")
      const shrinking = yield* crawl(10, 4, { sinks: [sink], allow_shrink: true }, ledger)
      assert.strictEqual(shrinking.receipt.status, "completed")
    })
  )

  it.live("counts pages that completed", () =>
    Effect.gen(function* () {
      const { shown, sink } = yield* lake("replace")
      const { ledger } = yield* crawl(120, 1, { sinks: [sink] })
      const failing = yield* crawl(120, 2, { sinks: [sink] }, ledger, 0.9)
      assert.match(failing.receipt.reason ?? "", /with \d+ of the 120 pages/)
      assert.deepInclude(yield* shown, { pages: 120 })
    })
  )

  it.live("cannot be published once a later run is, or once its objects are gone", () =>
    Effect.gen(function* () {
      const { options, shown, sink } = yield* lake("replace")
      const { ledger } = yield* crawl(120, 1, { sinks: [sink] })
      const short = yield* crawl(20, 2, { sinks: [sink] }, ledger)
      const gone = yield* crawl(30, 3, { sinks: [sink] }, ledger)
      yield* Directory.collectGarbage(options, {
        pipeline: "test",
        isKept: (runId) => Effect.succeed(runId === short.receipt.run_id),
        olderThan: -60_000
      })
      const lost = yield* Effect.flip(gone.publish)
      assert.deepInclude(lost, { _tag: "PublishRefused" })
      assert.match(lost.message, /objects of run \S+ have been removed/)
      assert.deepInclude(yield* shown, { pages: 120 })

      const later = yield* crawl(110, 4, { sinks: [sink] }, ledger)
      assert.strictEqual(later.receipt.status, "completed")
      const refused = yield* Effect.flip(short.publish)
      assert.match(
        refused.message,
        new RegExp(`run ${later.receipt.run_id}, which began later, has been published in .*: readers keep that one`)
      )
      assert.deepInclude(yield* shown, { pages: 110 })
    })
  )

  it.live("stays out of sight in append as well, also one that a sink shows when it ends early", () =>
    Effect.gen(function* () {
      const { shown, sink } = yield* lake("append")
      const { ledger } = yield* crawl(50, 1, { sinks: [sink] })
      const short = yield* crawl(10, 2, { sinks: [sink], expect: { min_pages: 40 } }, ledger)
      assert.strictEqual(short.receipt.unpublished?.guard, "expect")
      assert.deepInclude(yield* shown, { pages: 50 })
      yield* crawl(50, 3, { sinks: [sink] }, ledger)
      yield* short.publish
      assert.deepInclude(yield* shown, { pages: 110 })
    })
  )
})

describe("a run into several sinks", () => {
  it.live("is published in none where one of them would lose, and in all by `publish`", () =>
    Effect.gen(function* () {
      const one = yield* lake("replace")
      const other = memorySink()
      const sinks = [other.sink, one.sink]
      const { ledger } = yield* crawl(120, 1, { sinks })
      assert.strictEqual(other.published, 1)
      const short = yield* crawl(20, 2, { sinks }, ledger)
      assert.deepStrictEqual(short.receipt.unpublished, {
        guard: "shrink",
        sinks: [
          { name: "memory", readers: "it is not published there" },
          { name: "lake", readers: "readers see none of it" }
        ]
      })
      assert.strictEqual(other.published, 1)
      yield* short.publish
      assert.strictEqual(other.published, 2)
      assert.deepInclude(yield* one.shown, { pages: 20 })
    })
  )

  it.live("is published in none where one refuses to, and the rest by the next `publish` where one broke off", () =>
    Effect.gen(function* () {
      const one = yield* lake("replace")
      const two = yield* lake("replace")
      let isDown = false
      const unavailable = new LedgerError({ operation: "publish", reason: new LedgerUnavailable({ cause: null }) })
      const flaky: Sink = {
        ...two.sink,
        name: "flaky",
        connect: Effect.map(Directory.sink({ ...two.options, name: "flaky" }).connect, (connection) => ({
          ...connection,
          begin: (run) =>
            Effect.map(connection.begin(run), (session) => ({
              ...session,
              publish: Effect.suspend(() => (isDown ? Effect.fail(unavailable) : session.publish))
            }))
        }))
      }
      const sinks = [one.sink, flaky]
      const { ledger } = yield* crawl(120, 1, { sinks })
      const short = yield* crawl(20, 2, { sinks }, ledger)
      isDown = true
      yield* Effect.flip(Pipeline.publish(short.pipeline, { runId: short.receipt.run_id, ledger, writeRetries: 0 }))
      assert.deepInclude(yield* one.shown, { pages: 20 })
      assert.deepInclude(yield* two.shown, { pages: 120 })
      isDown = false
      assert.strictEqual((yield* short.publish).result, "published")
      assert.deepInclude(yield* two.shown, { pages: 20 })

      const again = yield* crawl(5, 3, { sinks }, ledger)
      yield* crawl(19, 4, { sinks: [flaky] }, makeLedgerMemory())
      yield* Effect.flip(again.publish)
      assert.deepInclude(yield* one.shown, { pages: 20 })
    })
  )
})

describe("publish", () => {
  it.live("refuses in a sentence what it cannot publish, and leaves what was published", () =>
    Effect.gen(function* () {
      const { sink } = memorySink()
      const { ledger, pipeline, publish, receipt } = yield* crawl(20, 1, { sinks: [sink] })
      assert.strictEqual((yield* publish).result, "already")
      assert.strictEqual(yield* refusal(pipeline, ledger, "no-such-run"), "there is no run no-such-run in this ledger")
      const other = Pipeline.make({ name: "other", source, sinks: [sink] })
      assert.strictEqual(
        yield* refusal(other, ledger, receipt.run_id),
        `run ${receipt.run_id} is one of pipeline "test", not of "other": name that pipeline's file`
      )
      const lease = { holder: "a/1/b", durationMs: 60_000 }
      const open = yield* ledger.begin({ pipeline: "test", configHash: pipeline.hash, startedAt: 5 }, lease)
      assert.strictEqual(
        yield* refusal(pipeline, ledger, open.runId),
        `run ${open.runId} has not ended: the next run of the pipeline resumes it`
      )
      const stopped = yield* crawl(20, 2, { sinks: [sink], budget: { tokens: 4 } }, ledger)
      assert.match(
        yield* refusal(pipeline, ledger, stopped.receipt.run_id),
        /ended as stopped_budget \(.*\): only a run that was loaded whole can be published/
      )
      const short = yield* crawl(20, 3, { sinks: [sink], expect: { min_pages: 100 } }, ledger)
      const changed = Pipeline.make({ name: "test", source: Crawl.make({ url: "https://site.test/" }), sinks: [sink] })
      assert.strictEqual(
        yield* refusal(changed, ledger, short.receipt.run_id),
        `the pipeline has changed since run ${short.receipt.run_id} was loaded: publish it with the file as it was, or let the next run be`
      )
      assert.strictEqual((yield* short.publish).result, "published")
    })
  )
})
