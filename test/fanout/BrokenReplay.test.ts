import { assert, describe, it } from "@effect/vitest"
import { type Ledger, makeLedgerMemory, Pipeline, type Sink } from "@sluice/core"
import { SinkError, SinkFailed } from "@sluice/core/sink"
import { Directory } from "@sluice/sink-s3"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { folder } from "../../packages/sink-s3/test/folder.ts"
import { crawl, setting } from "../core/attempts.ts"
import { memorySink } from "../core/MemorySink.ts"

/** A sink that takes so many segments and then no more, and what tells that it has come to that. */
const stuckAfter = Effect.fnUntraced(function* (name: string, segments: number) {
  const reached = yield* Deferred.make<void>()
  let isStuck = true
  const sink = memorySink({
    name,
    before: (_, nth) =>
      isStuck && nth > segments ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : Effect.void
  })
  const letGo = () => {
    isStuck = false
  }
  return { ...sink, held: sink, reached: Deferred.await(reached), letGo }
})

const pipelineOf = (sinks: ReadonlyArray<Sink>) => Pipeline.make({ name: "test", source: crawl, sinks })

const settled = new SinkError({
  sink: "stood",
  operation: "publish",
  isRetryable: false,
  reason: new SinkFailed({ detail: "a later run has been published", cause: null })
})

/** A sink in which the run has been published long before, and that refuses to have it published, or even begun, again. */
const refusing = (sink: Sink, what: "begin" | "publish"): Sink => ({
  ...sink,
  connect: Effect.map(sink.connect, (connection) => ({
    ...connection,
    begin: (run) =>
      what === "begin"
        ? Effect.fail(settled)
        : Effect.map(connection.begin(run), (session) => ({ ...session, publish: Effect.fail(settled) }))
  }))
})

/** A replay whose process ends as something is reached. */
const cutOff = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  options: Parameters<typeof Pipeline.replay>[1],
  reached: Effect.Effect<void>
) {
  const running = yield* Effect.forkChild(Stream.runDrain(Pipeline.replay(pipeline, { ...options, drain: "1 millis" })))
  yield* Effect.raceFirst(reached, Fiber.await(running))
  yield* Fiber.interrupt(running)
})

const results = (pipeline: Pipeline, options: Parameters<typeof Pipeline.replay>[1]) =>
  Effect.map(Stream.runCollect(Pipeline.replay(pipeline, options)), (replayed) => replayed.map(({ result }) => result))

const openIn = (ledger: Ledger) => ledger.open({ pipeline: "test" })

describe("a replay that was cut off", () => {
  it.live("is gone on with, and publishes also in the sink that had taken everything", () =>
    Effect.gen(function* () {
      const vault = Directory.vault({ path: yield* folder })
      const { attempt } = yield* setting({}, { vault })
      yield* attempt()
      const ledger = makeLedgerMemory()
      const quick = memorySink({ name: "quick" })
      const slow = yield* stuckAfter("slow", 1)
      const pipeline = pipelineOf([quick.sink, slow.sink])
      const taken = yield* Deferred.make<void>()
      const onProgress = () => (quick.pages.size === 90 ? Deferred.succeed(taken, undefined) : Effect.void)
      const both = Effect.andThen(slow.reached, Deferred.await(taken))
      yield* cutOff(pipeline, { vault, ledger, onProgress: () => Effect.asVoid(onProgress()) }, both)
      assert.deepStrictEqual([quick.pages.size, quick.published], [90, 0])
      slow.letGo()
      assert.deepStrictEqual(yield* results(pipeline, { vault, ledger }), ["loaded"])
      assert.deepStrictEqual([quick.published, slow.held.published, slow.pages.size], [1, 1, 90])
      assert.deepStrictEqual(yield* results(pipeline, { vault, ledger }), ["unchanged"])
    })
  )

  for (const what of ["begin", "publish"] as const) {
    it.live(`is gone on with beside a sink in which the run is past: ${what}`, () =>
      Effect.gen(function* () {
        const vault = Directory.vault({ path: yield* folder })
        const { attempt, ledger, sink } = yield* setting({}, { vault })
        const { receipt } = yield* attempt()
        const added = yield* stuckAfter("added", 1)
        const pipeline = pipelineOf([refusing(sink.sink, what), added.sink])
        yield* cutOff(pipeline, { vault, ledger }, added.reached)
        assert.strictEqual((yield* openIn(ledger))?.runId, receipt.run_id)
        added.letGo()
        assert.deepStrictEqual(yield* results(pipeline, { vault, ledger }), ["loaded"])
        assert.deepStrictEqual([added.held.published, added.pages.size], [1, 90])
      })
    )
  }

  it.live("is gone on with by a run of the pipeline, without a request, whatever epochs the vault has seen", () =>
    Effect.gen(function* () {
      const vault = Directory.vault({ path: yield* folder })
      const first = yield* stuckAfter("memory", 3)
      const { attempt, layer, pipeline, simulator } = yield* setting({}, { vault, sink: first.held })
      const dying = yield* Effect.forkChild(attempt({ drain: "1 millis" }))
      yield* first.reached
      yield* Fiber.interrupt(dying)
      first.letGo()
      assert.strictEqual((yield* attempt()).receipt.status, "completed")

      const asked = simulator.charges.requests.length
      const ledger = makeLedgerMemory()
      const second = yield* stuckAfter("memory", 1)
      const rebuilt = Pipeline.make({ ...pipeline, expect: undefined, quarantine: undefined, sinks: [second.sink] })
      yield* cutOff(rebuilt, { vault, ledger }, second.reached)
      second.letGo()
      const { receipt } = yield* Effect.provide(Pipeline.execute(rebuilt, { ledger }), layer)
      assert.deepInclude(receipt, { status: "completed", requests: { submitted: 0, reads: 0, retries: 0 } })
      assert.strictEqual(simulator.charges.requests.length, asked)
      assert.strictEqual(receipt.sinks[0]?.rows.pages, 90)
    })
  )

  it.live("from another pipeline is not gone on with by a run, which would pay for pages beside those", () =>
    Effect.gen(function* () {
      const vault = Directory.vault({ path: yield* folder })
      const { attempt, layer, pipeline, simulator } = yield* setting({}, { vault })
      yield* attempt()
      const ledger = makeLedgerMemory()
      const stuck = yield* stuckAfter("memory", 1)
      const elsewhere = Pipeline.make({ name: "elsewhere", source: crawl, sinks: [stuck.sink] })
      yield* cutOff(elsewhere, { vault, ledger, from: pipeline.name }, stuck.reached)
      stuck.letGo()
      const refused = yield* Effect.flip(Effect.provide(Pipeline.execute(elsewhere, { ledger }), layer))
      assert.match(refused.message, /is replayed from another pipeline and did not end: replay it again/)
      assert.lengthOf(simulator.charges.jobs, 1)
      assert.deepStrictEqual(yield* results(elsewhere, { vault, ledger, from: pipeline.name }), ["loaded"])
      assert.strictEqual(stuck.pages.size, 90)
    })
  )
})
