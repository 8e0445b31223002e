import { assert, describe, it } from "@effect/vitest"
import { type Ledger, noRows, type Receipt, type SegmentCommit } from "@sluice/core"
import { Effect, type Scope, Stream } from "effect"

const intent = { pipeline: "p", configHash: "c0ffee", startedAt: 1_750_000_000_123 }

const receipt = (runId: string): Receipt => ({
  run_id: runId,
  pipeline: "p",
  config_hash: "c0ffee",
  status: "completed",
  started_at: "2025-06-15T15:06:40.123Z",
  finished_at: "2025-06-15T15:07:00.000Z",
  jobs: [],
  pages: { discovered: 1, completed: 1, failed: 0, cancelled: 0, delivered: 1 },
  tokens: { charged: 1, reserved: 0 },
  sinks: [],
  requests: { submitted: 1, reads: 2, retries: 0 }
})

const commitOf = (run: { runId: string; epoch: number }, seq: number, keys: SegmentCommit["keys"]): SegmentCommit => ({
  runId: run.runId,
  epoch: run.epoch,
  sink: "s",
  seq,
  bytes: 10,
  keys,
  rows: { ...noRows, pages: 2 },
  deadLetters: 1
})

/** What a ledger in a database owes. */
export const ledgerSuite = <E>(name: string, make: Effect.Effect<Ledger, E, Scope.Scope>): void => {
  describe(`${name}: ledger`, () => {
    it.effect("keeps intents, and the jobs they became, in order", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const run = yield* ledger.begin(intent)
        const submission = (ordinal: number) => ({
          ordinal,
          kind: "crawl" as const,
          url: `https://a.example/${ordinal}`,
          requestHash: `h${ordinal}`,
          submittedAt: 1_750_000_000_000 + ordinal
        })
        for (let ordinal = 0; ordinal < 501; ordinal++) yield* ledger.intend(run, submission(ordinal))
        yield* ledger.intend(run, { ...submission(1), url: "https://other.example/" })
        yield* ledger.submitted(run, 1, "job-1")
        const submissions = yield* Stream.runCollect(ledger.submissions(run.runId))
        assert.lengthOf(submissions, 501)
        assert.deepStrictEqual(submissions.slice(0, 2), [
          { ...submission(0), jobId: null },
          { ...submission(1), jobId: "job-1" }
        ])
        assert.deepStrictEqual(yield* Stream.runCollect(ledger.submissions("no-such-run")), [])
      })
    )

    it.effect("commits a segment once and gives its keys back, segment by segment", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const run = yield* ledger.begin(intent)
        const first = [
          { jobId: "j-ü", keys: BigInt64Array.of(1n, -(2n ** 63n)) },
          { jobId: "k", keys: BigInt64Array.of(2n ** 63n - 1n) }
        ]
        yield* ledger.commit(commitOf(run, 0, first))
        yield* ledger.commit(commitOf(run, 0, [{ jobId: "x", keys: BigInt64Array.of(9n) }]))
        for (let seq = 1; seq < 120; seq++) {
          yield* ledger.commit(commitOf(run, seq, [{ jobId: "j", keys: BigInt64Array.of(BigInt(seq)) }]))
        }
        const committed = yield* Stream.runCollect(ledger.committed(run.runId, "s"))
        assert.deepStrictEqual(committed.slice(0, 2), first)
        assert.deepStrictEqual(
          committed.slice(2).map(({ keys }) => Number(keys[0])),
          Array.from({ length: 119 }, (_, at) => at + 1)
        )
        assert.deepStrictEqual(yield* Stream.runCollect(ledger.committed(run.runId, "other")), [])
      })
    )

    it.effect("refuses every write of a run that was taken over", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const paused = yield* ledger.begin(intent)
        const run = yield* ledger.takeOver(paused.runId)
        assert.deepStrictEqual(run, { ...intent, runId: paused.runId, epoch: 2 })
        const submission = { ordinal: 0, kind: "map" as const, url: "u", requestHash: "h", submittedAt: 0 }
        const failures = yield* Effect.forEach(
          [
            ledger.intend(paused, submission),
            ledger.submitted(paused, 0, "j"),
            ledger.commit(commitOf(paused, 0, [])),
            ledger.end(paused, receipt(paused.runId))
          ],
          Effect.flip
        )
        for (const { reason } of failures) {
          assert.deepInclude(reason, { _tag: "Fenced", epoch: 1, current: 2 })
        }
        yield* ledger.commit(commitOf(run, 0, []))
      })
    )

    it.effect("ends a run with its receipt, after which nobody takes it over", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const run = yield* ledger.begin(intent)
        const later = yield* ledger.begin({ ...intent, startedAt: intent.startedAt + 5 })
        const other = yield* ledger.begin({ ...intent, pipeline: "q" })
        yield* ledger.end(run, receipt(run.runId))
        assert.strictEqual((yield* Effect.flip(ledger.takeOver(run.runId))).reason._tag, "UnknownRun")
        assert.strictEqual((yield* Effect.flip(ledger.takeOver("no-such-run"))).reason._tag, "UnknownRun")
        const runs = yield* ledger.runs({ pipeline: "p", limit: 10 })
        assert.deepStrictEqual(
          runs.map(({ runId, status }) => [runId, status]),
          [
            [later.runId, "running"],
            [run.runId, "completed"]
          ]
        )
        assert.deepStrictEqual(runs[1], {
          ...intent,
          runId: run.runId,
          status: "completed",
          finishedAt: Date.parse("2025-06-15T15:07:00.000Z"),
          receipt: receipt(run.runId)
        })
        assert.lengthOf(yield* ledger.runs({ limit: 2 }), 2)
        assert.lengthOf(yield* ledger.runs({ pipeline: other.pipeline, limit: 9 }), 1)
      })
    )
  })
}
