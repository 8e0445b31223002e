import { hostname } from "node:os"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { Ledger, RunHandle } from "../src/ledger/Ledger.ts"
import { makeLedgerMemory } from "../src/ledger/LedgerMemory.ts"
import type { Receipt } from "../src/ledger/Receipt.ts"
import { makePipeline } from "../src/pipeline/makePipeline.ts"
import type { WhenRunning } from "../src/pipeline/WhenRunning.ts"
import { acquireRun } from "../src/run/acquire/acquireRun.ts"
import type { Sink } from "../src/sink/Sink.ts"

const sink: Sink = { kind: "none", name: "none", behaviour: {}, connect: Effect.die("it is not connected to") }
const pipelineOf = (whenRunning: WhenRunning, minutes?: number, limit = 5) =>
  makePipeline({
    name: "p",
    source: { crawl: { url: "https://a.example/", limit, formats: ["markdown"] } },
    sinks: [sink],
    when_running: whenRunning,
    wait_minutes: minutes
  })

/** A process of this host that lives, and is not this one. */
const living = `${hostname()}/${process.ppid}/other`
const elsewhere = "elsewhere/1/other"
const ours = { holder: `${hostname()}/${process.pid}/ours`, durationMs: 30_000 }

const leaseHeldBy = Effect.fnUntraced(function* (holder: string, configHash = pipelineOf("wait").hash) {
  const ledger = makeLedgerMemory()
  const lease = { holder, durationMs: 30_000 }
  const other = yield* ledger.begin({ pipeline: "p", configHash, startedAt: 0 }, lease)
  const renewing = yield* ledger.renew(other, lease).pipe(Effect.delay("10 seconds"), Effect.forever, Effect.forkChild)
  return { ledger, other, renewing }
})

const end = (ledger: Ledger, run: RunHandle) => {
  const counts = { discovered: 0, completed: 0, failed: 0, cancelled: 0, delivered: 0 }
  const receipt: Receipt = {
    run_id: run.runId,
    pipeline: "p",
    config_hash: run.configHash,
    status: "completed",
    started_at: "2026-01-01T00:00:00Z",
    finished_at: "2026-01-01T00:00:00Z",
    jobs: [],
    pages: counts,
    tokens: { charged: 0, reserved: 0 },
    sinks: [],
    requests: { submitted: 0, reads: 0, retries: 0 }
  }
  return ledger.end(run, receipt)
}

describe("a run that another process carries out", () => {
  it.effect("is refused at once where that process is known to live, whatever the pipeline has become", () =>
    Effect.gen(function* () {
      const { ledger, other } = yield* leaseHeldBy(living, "another")
      const refusal = yield* Effect.flip(acquireRun(ledger, pipelineOf("refuse"), ours, { resume: "auto" }))
      assert.strictEqual(
        refusal.message,
        `run ${other.runId} is being carried out by ${living}: wait for it to end, or stop it first`
      )
      const named = yield* Effect.flip(acquireRun(ledger, pipelineOf("wait"), ours, { resume: { runId: other.runId } }))
      assert.strictEqual(named.message, refusal.message)
    })
  )

  it.effect("is refused when a process elsewhere has been seen to hold on to it", () =>
    Effect.gen(function* () {
      const { ledger } = yield* leaseHeldBy(elsewhere)
      const trying = yield* Effect.forkChild(
        Effect.flip(acquireRun(ledger, pipelineOf("refuse"), ours, { resume: "auto" }))
      )
      yield* TestClock.adjust("31 seconds")
      assert.include((yield* Fiber.join(trying)).message, "is being carried out by elsewhere/1/other")
    })
  )

  it.effect("is waited for, and then the next begins", () =>
    Effect.gen(function* () {
      for (const holder of [living, elsewhere]) {
        const { ledger, other, renewing } = yield* leaseHeldBy(holder, "another")
        const waiting = yield* Effect.forkChild(acquireRun(ledger, pipelineOf("wait"), ours, { resume: "auto" }))
        yield* TestClock.adjust("40 minutes")
        assert.isUndefined(waiting.pollUnsafe())
        yield* Fiber.interrupt(renewing)
        yield* end(ledger, other)
        yield* TestClock.adjust("1 second")
        const { isNew, run } = yield* Fiber.join(waiting)
        assert.isTrue(isNew)
        assert.notStrictEqual(run.runId, other.runId)
        assert.isAtLeast(run.startedAt, 40 * 60_000)
      }
    })
  )

  it.effect("is gone on with by whoever waited, where it was stopped or its process died", () =>
    Effect.gen(function* () {
      for (const how of ["stopped", "died"] as const) {
        const { ledger, other, renewing } = yield* leaseHeldBy(how === "died" ? elsewhere : living)
        const waiting = yield* Effect.forkChild(acquireRun(ledger, pipelineOf("wait"), ours, { resume: "auto" }))
        yield* TestClock.adjust("5 minutes")
        yield* Fiber.interrupt(renewing)
        if (how === "stopped") yield* ledger.suspend(other, "interrupted")
        yield* TestClock.adjust("31 seconds")
        const { isNew, run } = yield* Fiber.join(waiting)
        assert.deepStrictEqual([isNew, run.runId, run.epoch], [false, other.runId, 2])
      }
    })
  )

  it.effect("is not waited for beyond the bound", () =>
    Effect.gen(function* () {
      const { ledger } = yield* leaseHeldBy(living)
      const waiting = yield* Effect.forkChild(
        Effect.flip(acquireRun(ledger, pipelineOf("wait", 2), ours, { resume: "auto" }))
      )
      yield* TestClock.adjust("119 seconds")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      assert.include((yield* Fiber.join(waiting)).message, "is being carried out by")
    })
  )

  it.effect("does not go on as another pipeline once it was stopped", () =>
    Effect.gen(function* () {
      const { ledger, other } = yield* leaseHeldBy(living)
      const waiting = yield* Effect.forkChild(
        Effect.flip(acquireRun(ledger, pipelineOf("wait", 60, 6), ours, { resume: "auto" }))
      )
      yield* TestClock.adjust("1 minute")
      yield* ledger.suspend(other, "interrupted")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "PipelineChanged")
    })
  )

  it.effect("is one of several that begin at once", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const exits = yield* Effect.forEach(
        [1, 2, 3],
        (nth) => {
          const lease = { holder: `${hostname()}/${process.ppid}/${nth}`, durationMs: 30_000 }
          return Effect.exit(acquireRun(ledger, pipelineOf("refuse"), lease, { resume: "auto" }))
        },
        { concurrency: 3 }
      )
      assert.lengthOf(exits.filter(Exit.isSuccess), 1)
      assert.lengthOf(yield* ledger.runs({ limit: 5 }), 1)
    })
  )
})
