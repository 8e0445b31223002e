import { readdirSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { type RunOptions, Transform } from "@sluice/core"
import { SinkError, SinkUnreachable } from "@sluice/core/sink"
import { Directory } from "@sluice/sink-s3"
import { crawlHistory } from "@sluice/testkit"
import { Deferred, Effect, Fiber } from "effect"
import * as fc from "fast-check"
import { folder } from "../../packages/sink-s3/test/folder.ts"
import { setting, site } from "../core/attempts.ts"
import { type MemorySink, type MemorySinkOptions, memorySink, sinkFailure } from "../core/MemorySink.ts"

const unreachable = new SinkError({
  sink: "slow",
  operation: "write",
  isRetryable: true,
  reason: new SinkUnreachable({ cause: null })
})

/** A spool in a directory of its own, and what is left in it. */
const spoolIn = Effect.fnUntraced(function* (maxBytes?: number) {
  const path = yield* folder
  const left = () =>
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
  return { spool: { ...Directory.spool({ path }), ...(maxBytes === undefined ? {} : { maxBytes }) }, left }
})

const pagesOf = ({ pages }: MemorySink) => [...pages.keys()].sort()

/** Two sinks, of which one is as it is told. */
const twoSinks = Effect.fnUntraced(function* (slow: MemorySinkOptions, maxBytes?: number) {
  const { left, spool } = yield* spoolIn(maxBytes)
  const other = memorySink({ name: "slow", ...slow })
  const run = yield* setting(
    { crawl: () => crawlHistory(site, { perPoll: 20 }) },
    { sink: memorySink({ name: "fast" }), others: [other] }
  )
  const attempt = (options: RunOptions = {}) => run.attempt({ spool, writeRetries: 1, ...options })
  return { ...run, attempt, left, other, requests: () => run.simulator.charges.requests.length }
})

describe("two sinks of a run, with a spool", () => {
  it.live("each take every page, and nothing is left in the spool", () =>
    Effect.gen(function* () {
      const { attempt, left, other, sink } = yield* twoSinks({})
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "completed")
      assert.deepStrictEqual(
        receipt.sinks.map(({ rows }) => rows.pages),
        [90, 90]
      )
      assert.deepStrictEqual(pagesOf(other), pagesOf(sink))
      assert.deepStrictEqual([sink.published, other.published], [1, 1])
      assert.isEmpty(left())
    })
  )

  it.live("go on without one that is down, which catches up afterwards without a request", () =>
    Effect.gen(function* () {
      let isDown = true
      const { attempt, left, ledger, other, requests, sink } = yield* twoSinks({
        before: () => (isDown ? Effect.fail(unreachable) : Effect.void)
      })
      const first = yield* attempt()
      assert.strictEqual(first.receipt.status, "failed")
      assert.include(first.receipt.reason, 'sink "slow" cannot be reached')
      assert.deepStrictEqual(
        first.receipt.sinks.map(({ rows }) => rows.pages),
        [90, 0]
      )
      assert.deepStrictEqual([sink.published, other.published], [1, 0])
      assert.isNotEmpty(left())
      assert.isNull((yield* ledger.runs({ limit: 1 }))[0]?.finishedAt)

      isDown = false
      const asked = requests()
      const second = yield* attempt()
      assert.strictEqual(second.receipt.status, "completed")
      assert.strictEqual(second.receipt.run_id, first.receipt.run_id)
      assert.strictEqual(requests(), asked)
      assert.deepStrictEqual(second.receipt.requests, { submitted: 0, reads: 0, retries: 0 })
      assert.deepInclude(second.receipt.pages, { completed: 90, delivered: 90 })
      assert.deepStrictEqual(pagesOf(other), pagesOf(sink))
      // What the fast one has taken it is not given again.
      assert.lengthOf(
        sink.written.flatMap(({ records }) => records),
        90
      )
      assert.strictEqual(other.published, 1)
      assert.isEmpty(left())
    })
  )

  it.live("let one that comes back catch up in the same run", () =>
    Effect.gen(function* () {
      let down = 3
      const { attempt, other, sink } = yield* twoSinks({
        before: () => (down-- > 0 ? Effect.fail(unreachable) : Effect.void)
      })
      const { receipt } = yield* attempt({ writeRetries: 5 })
      assert.strictEqual(receipt.status, "completed")
      assert.deepStrictEqual(pagesOf(other), pagesOf(sink))
    })
  )

  it.live("are not waited for by each other: the fast one has all while the other has taken nothing", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { attempt, other, sink } = yield* twoSinks({ before: () => Deferred.await(gate) })
      const running = yield* Effect.forkChild(
        attempt({
          onProgress: () => (sink.pages.size === 90 ? Effect.asVoid(Deferred.succeed(gate, undefined)) : Effect.void)
        })
      )
      const { receipt } = yield* Fiber.join(running)
      assert.strictEqual(receipt.status, "completed")
      assert.deepStrictEqual(pagesOf(other), pagesOf(sink))
    })
  )

  it.live("end the attempt where the spool is full and nobody is going to empty it; the next one goes on", () =>
    Effect.gen(function* () {
      let isDown = true
      const { attempt, other, sink, simulator } = yield* twoSinks(
        { before: () => (isDown ? Effect.fail(sinkFailure(false)) : Effect.void) },
        4000
      )
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "failed")
      assert.isAbove(sink.pages.size, 0)
      assert.isBelow(sink.pages.size, 90)
      isDown = false
      const second = yield* attempt()
      assert.strictEqual(second.receipt.status, "completed")
      assert.strictEqual(sink.pages.size, 90)
      assert.deepStrictEqual(pagesOf(other), pagesOf(sink))
      assert.lengthOf(simulator.charges.jobs, 1)
    })
  )

  it.live(
    "end with the same pages wherever attempts are cut off, each committed once",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.array(
              fc.record({
                sink: fc.constantFrom("fast", "slow"),
                nth: fc.integer({ min: 1, max: 12 }),
                how: fc.constantFrom("fails", "hangs", "commits")
              }),
              { maxLength: 3 }
            ),
            fc.boolean(),
            (faults, isVault) => Effect.runPromise(Effect.scoped(cutOff(faults, isVault)))
          ),
          { numRuns: 25, seed: 11 }
        )
      ),
    300_000
  )
})

interface Fault {
  readonly sink: string
  readonly nth: number
  readonly how: string
}

/** Attempts of a run, one for each fault: a write that fails for good, one in whose midst the process ends, before or after its rows. */
const cutOff = Effect.fnUntraced(function* (faults: ReadonlyArray<Fault>, isVault: boolean) {
  const path = yield* folder
  let fault: Fault | undefined
  let reached = yield* Deferred.make<void>()
  const play = (name: string, how: ReadonlyArray<string>) => (_: unknown, nth: number) => {
    if (fault === undefined || fault.sink !== name || nth < fault.nth || !how.includes(fault.how)) return Effect.void
    const isFailure = fault.how === "fails"
    fault = undefined
    return isFailure
      ? Effect.fail(sinkFailure(false))
      : Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
  }
  const [fast, slow] = ["fast", "slow"].map((name) =>
    memorySink({ name, before: play(name, ["fails", "hangs"]), beforeCommit: play(name, ["commits"]) })
  ) as [MemorySink, MemorySink]
  const given = { sink: fast, others: [slow], transforms: [Transform.select({ url: "*://*/**[0-8]*" })] }
  const run = yield* setting({}, isVault ? { ...given, vault: Directory.vault({ path }) } : given)
  const options = { spool: Directory.spool({ path }), writeRetries: 0, drain: "1 millis" } as const
  for (const next of faults) {
    fault = next
    reached = yield* Deferred.make<void>()
    const attempt = yield* Effect.forkChild(run.attempt(options))
    yield* Effect.raceFirst(Deferred.await(reached), Fiber.await(attempt))
    yield* Fiber.interrupt(attempt)
  }
  fault = undefined
  const { receipt } = yield* run.attempt(options)
  assert.strictEqual(receipt.status, "completed")
  assert.deepStrictEqual(pagesOf(slow), pagesOf(fast))
  const [one, two] = receipt.sinks
  assert.deepStrictEqual(one?.rows.pages, fast.pages.size)
  assert.deepStrictEqual(one?.rows, two?.rows)
  assert.strictEqual(one?.rows.token_summaries, 1)
  assert.strictEqual(receipt.pages.delivered, receipt.pages.discovered)
})
