import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { Ledger, RunHandle, SegmentCommit } from "../src/Ledger.ts"
import { makeLedgerMemory } from "../src/LedgerMemory.ts"
import type { Receipt } from "../src/Receipt.ts"
import { noRows } from "../src/Segment.ts"

const intent = { pipeline: "p", configHash: "h", startedAt: 5 }
const submission = { ordinal: 0, kind: "crawl", url: "https://site.test/", requestHash: "r", submittedAt: 6 } as const

const commit = (run: RunHandle, seq: number, ...keys: ReadonlyArray<bigint>): SegmentCommit => ({
  runId: run.runId,
  epoch: run.epoch,
  sink: "memory",
  seq,
  bytes: 1,
  keys: [{ jobId: "job", keys: BigInt64Array.from(keys) }],
  rows: noRows,
  deadLetters: 0
})

const receipt = (run: RunHandle): Receipt => ({
  run_id: run.runId,
  pipeline: run.pipeline,
  config_hash: run.configHash,
  status: "completed",
  started_at: "2026-01-01T00:00:00.000Z",
  finished_at: "2026-01-01T00:00:01.000Z",
  jobs: [],
  pages: { discovered: 0, completed: 0, failed: 0, cancelled: 0, delivered: 0 },
  tokens: { charged: 0, reserved: 0 },
  sinks: [],
  requests: { submitted: 0, reads: 0, retries: 0 }
})

const keysOf = (ledger: Ledger, run: RunHandle, sink = "memory") =>
  Effect.map(Stream.runCollect(ledger.committed(run.runId, sink)), (committed) =>
    committed.flatMap(({ keys }) => [...keys])
  )

describe("LedgerMemory", () => {
  it.effect("keeps intents by ordinal, the first of each, and the jobs they became", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const run = yield* ledger.begin(intent)
      yield* ledger.intend(run, { ...submission, ordinal: 1 })
      yield* ledger.intend(run, submission)
      yield* ledger.submitted(run, 0, "job-0")
      yield* ledger.intend(run, { ...submission, requestHash: "other", submittedAt: 9 })
      const submissions = yield* Stream.runCollect(ledger.submissions(run.runId))
      assert.deepStrictEqual(submissions, [
        { ...submission, jobId: "job-0" },
        { ...submission, ordinal: 1, jobId: null }
      ])
    })
  )

  it.effect("keeps a segment once, by sink and number", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const run = yield* ledger.begin(intent)
      yield* ledger.commit(commit(run, 1, 1n, 2n))
      yield* ledger.commit(commit(run, 1, 1n, 2n))
      yield* ledger.commit(commit(run, 2, 3n))
      yield* ledger.commit({ ...commit(run, 1, 9n), sink: "other" })
      assert.deepStrictEqual(yield* keysOf(ledger, run), [1n, 2n, 3n])
      assert.deepStrictEqual(yield* keysOf(ledger, run, "other"), [9n])
    })
  )

  it.effect("refuses every write under an older epoch", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const zombie = yield* ledger.begin(intent)
      const run = yield* ledger.takeOver(zombie.runId)
      assert.deepStrictEqual([zombie.epoch, run.epoch], [1, 2])
      const writes = [
        ledger.intend(zombie, submission),
        ledger.submitted(zombie, 0, "job"),
        ledger.commit(commit(zombie, 1, 1n)),
        ledger.end(zombie, receipt(zombie))
      ]
      for (const write of writes) {
        const { reason } = yield* Effect.flip(write)
        assert.deepInclude(reason, { _tag: "Fenced", epoch: 1, current: 2 })
      }
      assert.deepStrictEqual(yield* keysOf(ledger, run), [])
      yield* ledger.commit(commit(run, 1, 1n))
      assert.deepStrictEqual(yield* keysOf(ledger, run), [1n])
    })
  )

  it.effect("does not hand over a run that has ended, or one it does not know", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const run = yield* ledger.begin(intent)
      yield* ledger.end(run, receipt(run))
      for (const runId of [run.runId, "unknown"]) {
        const { reason } = yield* Effect.flip(ledger.takeOver(runId))
        assert.strictEqual(reason._tag, "UnknownRun")
      }
      const unknown = yield* Effect.flip(Stream.runCollect(ledger.submissions("unknown")))
      assert.strictEqual(unknown.reason._tag, "UnknownRun")
    })
  )

  it.effect("lists runs, the newest first, as many as asked, of one pipeline", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const first = yield* ledger.begin(intent)
      const second = yield* ledger.begin({ ...intent, pipeline: "q" })
      const third = yield* ledger.begin(intent)
      yield* ledger.end(first, receipt(first))
      const ids = (options: Parameters<Ledger["runs"]>[0]) =>
        Effect.map(ledger.runs(options), (runs) => runs.map(({ runId }) => runId))
      assert.deepStrictEqual(yield* ids({ limit: 2 }), [third.runId, second.runId])
      assert.deepStrictEqual(yield* ids({ limit: 9, pipeline: "p" }), [third.runId, first.runId])
      const [running, ended] = yield* ledger.runs({ limit: 2, pipeline: "p" })
      assert.deepInclude(running, { status: "running", finishedAt: null, receipt: null })
      assert.deepInclude(ended, { status: "completed", finishedAt: Date.UTC(2026, 0, 1, 0, 0, 1) })
    })
  )
})
