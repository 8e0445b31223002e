import { assert, describe, it } from "@effect/vitest"
import { makeLedgerMemory, Pipeline } from "@sluice/core"
import { Directory } from "@sluice/sink-s3"
import { Deferred, Effect, Fiber, Schedule, Stream } from "effect"
import { folder } from "../../packages/sink-s3/test/folder.ts"
import { setting } from "../core/attempts.ts"
import { memorySink, sinkFailure } from "../core/MemorySink.ts"

const spaced = Schedule.spaced("2 millis")

describe("a run that a replay has restored and not finished", () => {
  it.live("has its submissions from the first moment on", () =>
    Effect.gen(function* () {
      const vault = Directory.vault({ path: yield* folder })
      const { attempt, layer, ledger, pipeline, simulator } = yield* setting({}, { vault })
      const { receipt } = yield* attempt()
      const submissions = yield* Stream.runCollect(ledger.submissions(receipt.run_id))

      const fresh = makeLedgerMemory()
      const killed = {
        ...fresh,
        restore: (...args: Parameters<typeof fresh.restore>) => Effect.andThen(fresh.restore(...args), Effect.never)
      }
      const target = memorySink()
      const rebuilt = Pipeline.make({ ...pipeline, expect: undefined, quarantine: undefined, sinks: [target.sink] })
      const dying = yield* Effect.forkChild(
        Stream.runDrain(Pipeline.replay(rebuilt, { vault, ledger: killed, lease: "1 millis" }))
      )
      yield* Effect.repeat(fresh.open({ runId: receipt.run_id }), {
        until: (open) => open !== undefined,
        schedule: spaced
      })
      yield* Fiber.interrupt(dying)

      assert.deepStrictEqual(yield* Stream.runCollect(fresh.submissions(receipt.run_id)), submissions)
      const asked = simulator.charges.requests.length
      const { receipt: second } = yield* Pipeline.execute(rebuilt, { ledger: fresh, writeRetries: 0 }).pipe(
        Effect.provide(layer)
      )
      assert.deepStrictEqual([second.status, second.run_id], ["completed", receipt.run_id])
      assert.strictEqual(target.pages.size, 90)
      assert.strictEqual(simulator.charges.requests.length, asked)
    })
  )

  it.live("halts where the ledger lacks how its jobs were submitted, and submits nothing", () =>
    Effect.gen(function* () {
      const vault = Directory.vault({ path: yield* folder })
      const reached = yield* Deferred.make<void>()
      const stuck = memorySink({
        before: (_, nth) =>
          nth === 4 ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : Effect.void
      })
      const { attempt, layer, ledger, pipeline, simulator } = yield* setting({}, { vault, sink: stuck })
      const running = yield* Effect.forkChild(attempt())
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(running)
      const [open] = yield* ledger.runs({ limit: 1 })

      const fresh = makeLedgerMemory()
      let fails = true
      const target = memorySink({ before: () => (fails ? Effect.fail(sinkFailure(false)) : Effect.void) })
      const rebuilt = Pipeline.make({ ...pipeline, expect: undefined, quarantine: undefined, sinks: [target.sink] })
      const runs = [open!.runId]
      yield* Stream.runDrain(Pipeline.replay(rebuilt, { vault, ledger: fresh, runs, lease: "30 millis" }))
      fails = false
      const error = yield* Effect.flip(
        Pipeline.execute(rebuilt, { ledger: fresh, writeRetries: 0 }).pipe(Effect.provide(layer))
      )
      assert.strictEqual(
        error._tag === "RunNotBegun" && error.reason._tag === "LedgerError" && error.reason.reason._tag,
        "SubmissionsLost"
      )
      assert.strictEqual(simulator.charges.received("POST"), 1)

      const [again] = yield* Stream.runCollect(
        Pipeline.replay(rebuilt, { vault, ledger: fresh, runs, lease: "30 millis" })
      )
      assert.strictEqual(again?.result, "loaded")
      assert.isAtLeast(target.pages.size, 30)
    })
  )
})
