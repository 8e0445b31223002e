import { assert, describe, it } from "@effect/vitest"
import { Crawl, makeLedgerMemory, Pipeline, type RunOptions, type Sink, Transform } from "@sluice/core"
import { LedgerError, LedgerUnavailable, Publication, pageKey, type RunHandle, type SinkError } from "@sluice/core/sink"
import { crawlHistory, makeSite } from "@sluice/testkit"
import { Effect, Stream } from "effect"
import { memorySink, sinkFailure } from "./MemorySink.ts"
import { atOnce, simulated } from "./simulated.ts"

const site = makeSite({ pages: 120, failureRate: 0.2, seed: 3 })
const keys = site.pages
  .slice(0, 120)
  .map(({ url }) => pageKey(url))
  .toSorted((a, b) => (a < b ? -1 : 1))

interface Published {
  readonly store: object
  readonly seen: ReadonlyArray<bigint>
  readonly isExhaustive: boolean
}

/** A sink that notes what it is published with, or fails at it; also of runs that end without completing, if it shows those. */
const noting = (
  published: Array<Published>,
  failures: Array<SinkError | LedgerError> = [],
  showsEnded = false
): Sink => {
  const { sink } = memorySink()
  const publish = Effect.gen(function* () {
    const { isExhaustive, seenKeys: seen, store } = yield* Publication
    const failure = failures.shift()
    if (failure !== undefined) return yield* failure
    const lists = yield* Stream.runCollect(seen)
    published.push({
      store,
      isExhaustive,
      seen: lists.flatMap((list) => [...list]).toSorted((a, b) => (a < b ? -1 : 1))
    })
  })
  return {
    ...sink,
    connect: Effect.map(sink.connect, (connection) => ({
      ...connection,
      begin: (run) =>
        Effect.map(connection.begin(run), (session) => ({
          ...session,
          publish,
          ...(showsEnded ? { publishEnded: publish } : {})
        }))
    }))
  }
}

const setting = Effect.fnUntraced(function* (sink: Sink, limit: number | "none" = 1000, budget?: { tokens: number }) {
  const api = yield* simulated({ site, crawl: () => crawlHistory(site, { perPoll: 40 }) })
  const ledger = makeLedgerMemory()
  const pipeline = Pipeline.make({
    name: "test",
    source: Crawl.make({ url: "https://site.test/", ...(limit === "none" ? {} : { limit }) }),
    transforms: [Transform.select({ status: ["completed"] })],
    sinks: [sink],
    budget
  })
  const run = (options: RunOptions = {}) =>
    Pipeline.execute(pipeline, { segmentDelayMs: 5, segmentRecords: 10, ...options, ledger, reader: atOnce }).pipe(
      Effect.provide(api.layer)
    )
  return { ...api, ledger, run }
})

describe("publishing", () => {
  it.live("is told of every page the run saw end, also of those no sink was given", () =>
    Effect.gen(function* () {
      const published: Array<Published> = []
      const { ledger, run } = yield* setting(noting(published))
      yield* run()
      assert.deepStrictEqual(published, [{ store: ledger.store, isExhaustive: true, seen: keys }])
    })
  )

  it.live("is told of those of earlier attempts as well", () =>
    Effect.gen(function* () {
      const published: Array<Published> = []
      const { run } = yield* setting(noting(published, [sinkFailure(false)]))
      const { receipt } = yield* run()
      assert.deepInclude(receipt, { status: "failed", reason: 'sink "memory": it broke off' })
      const again = yield* run()
      assert.deepInclude(again.receipt, { status: "completed", run_id: receipt.run_id })
      assert.deepStrictEqual(
        published.map(({ seen }) => seen),
        [keys]
      )
    })
  )

  it.live("is told that a crawl which reached its limit, or named none, may have left pages out", () =>
    Effect.gen(function* () {
      const published: Array<Published> = []
      for (const limit of [120, 121, "none"] as const) yield* (yield* setting(noting(published), limit)).run()
      assert.deepStrictEqual(
        published.map(({ isExhaustive }) => isExhaustive),
        [false, true, false]
      )
    })
  )

  it.live("is tried again where the store broke off", () =>
    Effect.gen(function* () {
      const published: Array<Published> = []
      const unavailable = new LedgerError({ operation: "publish", reason: new LedgerUnavailable({ cause: null }) })
      const { run } = yield* setting(noting(published, [sinkFailure(true), unavailable]))
      assert.strictEqual((yield* run()).receipt.status, "completed")
      assert.lengthOf(published, 1)
    })
  )

  it.live("is not come to where a sink does not admit the pipeline: no run is begun, nothing is paid", () =>
    Effect.gen(function* () {
      const { sink } = memorySink()
      const asked: Array<string> = []
      const admit = (pipeline: string) => {
        asked.push(pipeline)
        return Effect.fail(sinkFailure(false))
      }
      const refusing = { ...sink, connect: Effect.map(sink.connect, (connection) => ({ ...connection, admit })) }
      const { ledger, run, simulator } = yield* setting(refusing)
      const refusal = yield* Effect.flip(run())
      assert.strictEqual(refusal.message, 'sink "memory": it broke off')
      assert.deepStrictEqual(asked, ["test"])
      assert.strictEqual(simulator.charges.received("POST"), 0)
      assert.deepStrictEqual(yield* ledger.runs({ limit: 5 }), [])
    })
  )

  it.live("shows what was paid for of a run that ended early, in sinks that do", () =>
    Effect.gen(function* () {
      const published: Array<Published> = []
      const { run } = yield* setting(noting(published, [], true), 1000, { tokens: 10 })
      assert.strictEqual((yield* run()).receipt.status, "stopped_budget")
      assert.lengthOf(published, 1)
      assert.isAtLeast(published[0]!.seen.length, 10)

      const silent: Array<Published> = []
      yield* (yield* setting(noting(silent), 1000, { tokens: 10 })).run()
      assert.deepStrictEqual(silent, [])
    })
  )

  it.live(
    "leaves a run open that ended early and could not be shown: the next attempt shows it, and pays nothing",
    () =>
      Effect.gen(function* () {
        const published: Array<Published> = []
        const { ledger, run, simulator } = yield* setting(noting(published, [sinkFailure(false)], true), 1000, {
          tokens: 10
        })
        const { receipt } = yield* run()
        assert.strictEqual(receipt.status, "stopped_budget")
        const posts = simulator.charges.received("POST")
        assert.isDefined(yield* ledger.open({ runId: receipt.run_id }))
        const again = yield* run()
        assert.deepInclude(again.receipt, { run_id: receipt.run_id, status: "stopped_budget" })
        assert.isUndefined(yield* ledger.open({ runId: receipt.run_id }))
        assert.lengthOf(published, 1)
        assert.strictEqual(simulator.charges.received("POST"), posts)
      })
  )
})

describe("segments", () => {
  it.live("are as large as every sink wants them, the smallest of it, and no larger than any other's", () =>
    Effect.gen(function* () {
      const wanting = (name: string, records: number | undefined) => {
        const held = memorySink({ name })
        const wants = records === undefined ? {} : { wants: { records, bytes: 1e9, delayMs: 10_000 } }
        const connect = Effect.map(held.sink.connect, (connection) => ({
          ...connection,
          begin: (run: RunHandle) => Effect.map(connection.begin(run), (session) => ({ ...session, ...wants }))
        }))
        return { ...held, sink: { ...held.sink, connect } }
      }
      const cut = Effect.fnUntraced(function* (...wants: ReadonlyArray<number | undefined>) {
        const api = yield* simulated({ site, crawl: () => crawlHistory(site, { perPoll: 120 }) })
        const sinks = wants.map((records, at) => wanting(`sink-${at}`, records))
        const pipeline = Pipeline.make({
          name: "test",
          source: Crawl.make({ url: "https://site.test/" }),
          sinks: sinks.map(({ sink }) => sink)
        })
        yield* Pipeline.run(pipeline, { reader: atOnce }).pipe(Effect.provide(api.layer))
        return Math.max(...sinks[0]!.written.map(({ records }) => records.length))
      })
      assert.strictEqual(yield* cut(30), 30)
      assert.strictEqual(yield* cut(100, 20), 20)
      assert.strictEqual(yield* cut(5000), 120)
      assert.isAtMost(yield* cut(undefined, 7), 7)
    })
  )
})
