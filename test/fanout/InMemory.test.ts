import { assert, describe, it } from "@effect/vitest"
import { SinkError, SinkUnreachable } from "@sluice/core/sink"
import { crawlHistory } from "@sluice/testkit"
import { Deferred, Effect } from "effect"
import * as fc from "fast-check"
import { setting, site } from "../core/attempts.ts"
import { type MemorySink, type MemorySinkOptions, memorySink, sinkFailure } from "../core/MemorySink.ts"

const unreachable = new SinkError({
  sink: "slow",
  operation: "write",
  isRetryable: true,
  reason: new SinkUnreachable({ cause: null })
})

const pagesOf = ({ pages }: MemorySink) => [...pages.keys()].sort()

/** Two sinks of a library caller that gives neither a vault nor a spool. */
const twoSinks = Effect.fnUntraced(function* (slow: MemorySinkOptions, fast: MemorySinkOptions = {}) {
  const other = memorySink({ name: "slow", ...slow })
  const run = yield* setting(
    { crawl: () => crawlHistory(site, { perPoll: 20 }) },
    { sink: memorySink({ name: "fast", ...fast }), others: [other] }
  )
  return { ...run, other }
})

describe("two sinks of a run, buffered in memory", () => {
  it.live("each take every page while one of them is down; the next attempt lets it catch up, with one POST", () =>
    Effect.gen(function* () {
      let isDown = true
      const { attempt, ledger, other, simulator, sink } = yield* twoSinks({
        before: () => (isDown ? Effect.fail(sinkFailure(false)) : Effect.void)
      })
      const first = yield* attempt({ segmentRecords: 30 })
      assert.strictEqual(first.receipt.status, "failed")
      assert.deepStrictEqual(
        first.receipt.sinks.map(({ rows }) => rows.pages),
        [90, 0]
      )
      assert.deepStrictEqual([sink.published, other.published], [1, 0])
      assert.isNull((yield* ledger.runs({ limit: 1 }))[0]?.finishedAt)

      isDown = false
      const second = yield* attempt()
      assert.strictEqual(second.receipt.status, "completed")
      assert.strictEqual(second.receipt.run_id, first.receipt.run_id)
      assert.strictEqual(simulator.charges.received("POST"), 1)
      assert.deepStrictEqual(pagesOf(other), pagesOf(sink))
      assert.lengthOf(
        sink.written.flatMap(({ records }) => records),
        90
      )
    })
  )

  it.live("do not wait for each other: the fast one has six segments while the other has none", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { attempt, other, sink } = yield* twoSinks({ before: () => Deferred.await(gate) })
      const { receipt } = yield* attempt({
        onProgress: () => (sink.pages.size >= 60 ? Effect.asVoid(Deferred.succeed(gate, undefined)) : Effect.void)
      })
      assert.strictEqual(receipt.status, "completed")
      assert.deepStrictEqual(pagesOf(other), pagesOf(sink))
    })
  )

  it.live("end the attempt at once when both have failed", () =>
    Effect.gen(function* () {
      const fails = { before: () => Effect.fail(sinkFailure(false)) }
      const { attempt, simulator } = yield* twoSinks(fails, fails)
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "failed")
      assert.isBelow(simulator.charges.received("GET"), 5)
    })
  )

  it.live(
    "end with the same pages wherever attempts fail, each committed once",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.array(fc.record({ sink: fc.constantFrom("fast", "slow"), nth: fc.integer({ min: 1, max: 12 }) }), {
              maxLength: 4
            }),
            (faults) => Effect.runPromise(Effect.scoped(failing(faults)))
          ),
          { numRuns: 20, seed: 12 }
        )
      ),
    300_000
  )
})

describe("a lone sink", () => {
  it.live("ends the attempt as soon as it has failed", () =>
    Effect.gen(function* () {
      const run = yield* setting(
        { crawl: () => crawlHistory(site, { perPoll: 5 }) },
        { sink: memorySink({ before: () => Effect.fail(unreachable) }) }
      )
      const { receipt } = yield* run.attempt({ writeRetries: 0 })
      assert.strictEqual(receipt.status, "failed")
      assert.isBelow(run.simulator.charges.received("GET"), 8)
    })
  )
})

interface Fault {
  readonly sink: string
  readonly nth: number
}

/** Attempts of a run of two sinks, in each of which one write fails for good. */
const failing = Effect.fnUntraced(function* (faults: ReadonlyArray<Fault>) {
  let fault: Fault | undefined = faults[0]
  const fail = (name: string) => (_: unknown, nth: number) => {
    if (fault?.sink !== name || nth < fault.nth) return Effect.void
    fault = undefined
    return Effect.fail(sinkFailure(false))
  }
  const [fast, slow] = ["fast", "slow"].map((name) => memorySink({ name, before: fail(name) })) as [
    MemorySink,
    MemorySink
  ]
  const run = yield* setting({}, { sink: fast, others: [slow] })
  let { receipt } = yield* run.attempt({ writeRetries: 0 })
  for (const next of [...faults.slice(1), undefined]) {
    if (receipt.status === "completed") break
    fault = next
    receipt = (yield* run.attempt({ writeRetries: 0 })).receipt
  }
  assert.strictEqual(receipt.status, "completed")
  assert.deepStrictEqual(pagesOf(slow), pagesOf(fast))
  assert.lengthOf(pagesOf(fast), 90)
  assert.deepStrictEqual(
    receipt.sinks.map(({ rows }) => rows.pages),
    [90, 90]
  )
})
