import { assert, describe, it } from "@effect/vitest"
import type { Ledger, Receipt } from "@sluice/core"
import { type JobSnapshot, noRows, noTally, type SegmentCommit, unpublishedKept } from "@sluice/core/sink"
import { Effect, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { checkAgainstModel } from "./checkAgainstModel.ts"

const lease = { holder: "host/1/test", durationMs: 60_000 }

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
  jobs: [],
  deadLetters: 1,
  tally: { ...noTally, completed: 2, without_links: 1 }
})

const snapshot = (jobId: string, completed: number, status: JobSnapshot["status"]): JobSnapshot => ({
  jobId,
  kind: "crawl",
  url: "https://a.example/",
  status,
  discovered: 9,
  completed,
  failed: 1,
  cancelled: 0,
  tokensCharged: completed,
  tokensReserved: 9 - completed,
  observedAt: 1_750_000_000_000 + completed
})

/**
 * Declares the tests that every ledger passes: what a run may rely on, whatever becomes of its process. `make` returns a ledger
 * without runs, in the test's scope.
 *
 * Besides examples it compares random sequences of commands with a model, and shrinks one that differs. With `SLUICE_LONG_TESTS`
 * set it tries twenty times more. Failures are failed tests.
 *
 * @example
 * ```ts
 * import { makeLedgerMemory } from "@sluice/core"
 * import { ledgerSuite } from "@sluice/testkit"
 * import { Effect } from "effect"
 *
 * ledgerSuite("memory", Effect.sync(makeLedgerMemory))
 * ```
 */
export const ledgerSuite = <E>(name: string, make: Effect.Effect<Ledger, E, Scope.Scope>): void => {
  describe(`${name}: ledger`, () => {
    it.effect("restores a run it has lost under its own id, and one that is over under the next epoch", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const lost = { ...intent, runId: "0190a000-0000-7000-8000-00000000000a" }
        const run = yield* ledger.restore(lost, lease, [])
        assert.deepStrictEqual(run, { ...lost, epoch: 1 })
        yield* ledger.commit(commitOf(run, 1, []))
        yield* ledger.commit({ ...commitOf(run, 1, []), sink: "other" })
        assert.strictEqual((yield* Effect.flip(ledger.restore(lost, lease, []))).reason._tag, "LeaseHeld")
        yield* ledger.end(run, receipt(run.runId))

        const again = yield* ledger.restore({ ...lost, configHash: "changed" }, lease, ["s"])
        assert.deepStrictEqual(again, { ...lost, configHash: "changed", epoch: 2 })
        assert.isDefined(yield* ledger.open({ runId: run.runId }))
        assert.isEmpty(yield* Stream.runCollect(ledger.committed(run.runId, "s")))
        assert.lengthOf(yield* Stream.runCollect(ledger.committed(run.runId, "other")), 1)
        assert.strictEqual((yield* Effect.flip(ledger.commit(commitOf(run, 2, [])))).reason._tag, "Fenced")
        yield* ledger.end(again, { ...receipt(run.runId), status: "failed" })
        assert.strictEqual(
          (yield* ledger.runs({ limit: 9 })).find(({ runId }) => runId === run.runId)?.status,
          "failed"
        )
      })
    )

    it.effect("begins a run under a given ID once, even after it has ended", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const options = { unlessOpen: false, runId: "0190a000-0000-8000-8000-00000000000e" }
        const run = yield* ledger.begin(intent, lease, options)
        assert.strictEqual(run.runId, options.runId)
        const again = Effect.flip(ledger.begin({ ...intent, pipeline: "other" }, lease, options))
        assert.deepInclude((yield* again).reason, { _tag: "RunExists", runId: run.runId })
        yield* ledger.end(run, receipt(run.runId))
        assert.deepInclude((yield* again).reason, { _tag: "RunExists", runId: run.runId })
        assert.strictEqual((yield* ledger.runs({ runId: run.runId, limit: 1 }))[0]?.pipeline, intent.pipeline)
      })
    )

    it.effect("tells a replay of another pipeline's run from a run of its own", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const own = yield* ledger.begin({ ...intent, pipeline: "copied" }, lease)
        yield* ledger.end(own, receipt(own.runId))
        const copy = { ...intent, pipeline: "copy", runId: "0190a000-0000-8000-8000-00000000000d" }
        const run = yield* ledger.restore({ ...copy, replayedFrom: own.runId }, lease, [])
        assert.strictEqual(run.replayedFrom, own.runId)
        assert.strictEqual((yield* ledger.open({ pipeline: "copy" }))?.replayedFrom, own.runId)
        yield* ledger.end(run, receipt(run.runId))
        const origins = Effect.map(ledger.runs({ limit: 9 }), (runs) =>
          [own, run].map(({ runId }) => runs.find((each) => each.runId === runId)?.replayedFrom)
        )
        assert.deepStrictEqual(yield* origins, [undefined, own.runId])
      })
    )

    it.effect("restores a run with its submissions, and keeps the job IDs it knows", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const lost = { ...intent, runId: "0190a000-0000-7000-8000-00000000000c" }
        const asked = {
          kind: "crawl",
          url: "https://a.example/",
          requestHash: "h",
          submittedAt: 1e12,
          tokens: 7
        } as const
        const first = { ...asked, ordinal: 0, jobId: "job-0" }
        const second = { ...asked, ordinal: 1, jobId: null }
        const read = Effect.map(Stream.runCollect(ledger.submissions(lost.runId)), (all) =>
          [...all].sort((a, b) => a.ordinal - b.ordinal)
        )
        const run = yield* ledger.restore({ ...lost, submissions: [first, second] }, lease, [])
        assert.deepStrictEqual(yield* read, [first, second])
        yield* ledger.recordJob(run, 1, "job-1")
        yield* ledger.end(run, receipt(lost.runId))
        yield* ledger.restore({ ...lost, submissions: [first, second] }, lease, [])
        assert.deepStrictEqual(yield* read, [first, { ...second, jobId: "job-1" }])
        assert.deepStrictEqual([...(yield* ledger.findKnown(["job-0", "job-1", "job-2"]))].sort(), ["job-0", "job-1"])
      })
    )

    it.effect("restores a run under an epoch no lower than the one it was kept under", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const lost = { ...intent, runId: "0190a000-0000-7000-8000-00000000000b" }
        assert.deepStrictEqual(yield* ledger.restore({ ...lost, epoch: 3 }, lease, []), { ...lost, epoch: 3 })
        const heir = yield* ledger.takeOver(lost.runId, lease, lease.holder)
        assert.strictEqual(heir.epoch, 4)
        yield* ledger.end(heir, receipt(lost.runId))
        const again = yield* ledger.restore({ ...lost, epoch: 3 }, lease, [])
        assert.strictEqual(again.epoch, 5)
        yield* ledger.end(again, receipt(lost.runId))
        assert.strictEqual((yield* ledger.restore({ ...lost, epoch: 9 }, lease, [])).epoch, 9)
      })
    )

    it.effect("keeps intents, and the jobs they became, in order", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const run = yield* ledger.begin(intent, lease)
        const submission = (ordinal: number) => ({
          ordinal,
          kind: "crawl" as const,
          url: `https://a.example/${ordinal}`,
          requestHash: `h${ordinal}`,
          submittedAt: 1_750_000_000_000 + ordinal,
          tokens: 10_000 - ordinal
        })
        for (let ordinal = 0; ordinal < 501; ordinal++) yield* ledger.recordIntent(run, submission(ordinal))
        yield* ledger.recordIntent(run, { ...submission(1), url: "https://other.example/" })
        yield* ledger.recordJob(run, 1, "job-1")
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
        const run = yield* ledger.begin(intent, lease)
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
        assert.deepStrictEqual(committed[0], { seq: 0, epoch: 1, keys: first })
        assert.deepStrictEqual(
          committed.slice(1).map(({ keys, seq }) => [seq, Number(keys[0]?.keys[0])]),
          Array.from({ length: 119 }, (_, at) => [at + 1, at + 1])
        )
        assert.deepStrictEqual(yield* Stream.runCollect(ledger.committed(run.runId, "other")), [])
      })
    )

    it.effect("refuses every write of a run that was taken over", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const paused = yield* ledger.begin(intent, lease)
        const run = yield* ledger.takeOver(paused.runId, lease, lease.holder)
        assert.deepStrictEqual(run, { ...intent, runId: paused.runId, epoch: 2 })
        const submission = { ordinal: 0, kind: "map" as const, url: "u", requestHash: "h", submittedAt: 0, tokens: 1 }
        const failures = yield* Effect.forEach(
          [
            ledger.recordIntent(paused, submission),
            ledger.recordJob(paused, 0, "j"),
            ledger.rollbackIntent(paused, 0),
            ledger.renew(paused, lease),
            ledger.suspend(paused, "interrupted"),
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

    it.effect("begins one of several at once where a run is to be the pipeline's only one", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const alone = { ...intent, pipeline: "alone" }
        const begin = Effect.result(ledger.begin(alone, lease, { unlessOpen: true }))
        const tries = yield* Effect.all([begin, begin, begin], { concurrency: "unbounded" })
        const [run, ...more] = tries.flatMap((tried) => (tried._tag === "Success" ? [tried.success] : []))
        assert.lengthOf(more, 0)
        for (const tried of tries) {
          if (tried._tag === "Success") continue
          assert.deepInclude(tried.failure.reason, { _tag: "LeaseHeld", runId: run!.runId, holder: lease.holder })
        }
        yield* ledger.begin({ ...alone, pipeline: "other" }, lease, { unlessOpen: true })
        yield* ledger.suspend(run!, "interrupted")
        assert.strictEqual(
          (yield* Effect.flip(ledger.begin(alone, lease, { unlessOpen: true }))).reason._tag,
          "LeaseHeld"
        )
        yield* ledger.end(run!, receipt(run!.runId))
        yield* ledger.begin({ ...alone, startedAt: alone.startedAt + 1 }, lease, { unlessOpen: true })
      })
    )

    it.effect("ends a run with its receipt, after which nobody takes it over", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const run = yield* ledger.begin(intent, lease)
        const later = yield* ledger.begin({ ...intent, startedAt: intent.startedAt + 5 }, lease)
        const other = yield* ledger.begin({ ...intent, pipeline: "q" }, lease)
        yield* ledger.end(run, receipt(run.runId))
        assert.strictEqual(
          (yield* Effect.flip(ledger.takeOver(run.runId, lease, lease.holder))).reason._tag,
          "UnknownRun"
        )
        assert.strictEqual(
          (yield* Effect.flip(ledger.takeOver("no-such-run", lease, lease.holder))).reason._tag,
          "UnknownRun"
        )
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
          epoch: 1,
          finishedAt: Date.parse("2025-06-15T15:07:00.000Z"),
          publishedAt: null,
          receipt: receipt(run.runId),
          superseded: []
        })
        assert.lengthOf(yield* ledger.runs({ limit: 2 }), 2)
        assert.lengthOf(yield* ledger.runs({ pipeline: other.pipeline, limit: 9 }), 1)
        const idsOf = (filter: Parameters<typeof ledger.runs>[0]) =>
          Effect.map(ledger.runs(filter), (found) => found.map(({ runId }) => runId))
        const [newest] = yield* ledger.runs({ limit: 1 })
        const { runId, startedAt, status } = newest!
        assert.deepStrictEqual(yield* idsOf({ idPrefix: runId.slice(0, 30), limit: 9 }), [runId])
        assert.deepStrictEqual(yield* idsOf({ idPrefix: "%", limit: 9 }), [])
        assert.include(yield* idsOf({ status, limit: 9 }), runId)
        assert.notInclude(yield* idsOf({ status: "stopped_budget", limit: 9 }), runId)
        assert.include(yield* idsOf({ since: startedAt, limit: 9 }), runId)
        assert.notInclude(yield* idsOf({ since: startedAt + 1, limit: 9 }), runId)
      })
    )

    it.effect("opens a run again that has ended, keeps its receipts in order, and fences who ended it", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const run = yield* ledger.begin(intent, lease)
        assert.strictEqual((yield* Effect.flip(ledger.reopen(run.runId, lease))).reason._tag, "LeaseHeld")
        assert.strictEqual((yield* Effect.flip(ledger.reopen("no-such-run", lease))).reason._tag, "UnknownRun")
        const first: Receipt = { ...receipt(run.runId), status: "incomplete", notes: ["2 pages were not listed"] }
        yield* ledger.commit(commitOf(run, 1, [{ jobId: "j", keys: BigInt64Array.of(1n) }]))
        yield* ledger.end(run, first)

        const again = yield* ledger.reopen(run.runId, lease)
        assert.deepStrictEqual(again, { ...intent, runId: run.runId, epoch: 2 })
        assert.deepInclude(yield* ledger.open({ pipeline: "p" }), { runId: run.runId, holder: lease.holder })
        assert.strictEqual((yield* Effect.flip(ledger.commit(commitOf(run, 2, [])))).reason._tag, "Fenced")
        assert.strictEqual((yield* Effect.flip(ledger.reopen(run.runId, lease))).reason._tag, "LeaseHeld")
        assert.lengthOf(yield* Stream.runCollect(ledger.committed(run.runId, "s")), 1)
        const [open] = yield* ledger.runs({ runId: run.runId, limit: 1 })
        assert.deepInclude(open, { status: "running", finishedAt: null, receipt: null, superseded: [first] })

        const second: Receipt = { ...first, finished_at: "2025-06-15T16:00:00.000Z" }
        yield* ledger.end(again, second)
        const third = yield* ledger.reopen(run.runId, lease)
        yield* ledger.end(third, { ...receipt(run.runId), finished_at: "2025-06-15T17:00:00.000Z" })
        const [ended] = yield* ledger.runs({ runId: run.runId, limit: 1 })
        assert.deepInclude(ended, { status: "completed", superseded: [first, second] })
        assert.deepStrictEqual(yield* ledger.runs({ runId: "no-such-run", limit: 1 }), [])
        assert.isUndefined(yield* ledger.open({ runId: run.runId }))
      })
    )

    it.effect("keeps the newest that ended unpublished until they are published", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        // A ledger in a database goes by the clock of its server.
        const now = Date.now()
        yield* TestClock.setTime(now)
        const dayMs = 86_400_000
        const ended = Effect.fnUntraced(function* (days: number, more: Partial<Receipt>, pipeline = "p") {
          const run = yield* ledger.begin({ ...intent, pipeline, startedAt: now - days * dayMs }, lease)
          const finished_at = new Date(now - days * dayMs + 1000).toISOString()
          yield* ledger.end(run, { ...receipt(run.runId), status: "failed", finished_at, ...more })
          return run
        })
        const unpublished = {
          guard: "shrink",
          sinks: [{ name: "postgres", readers: "readers see none of it" }]
        } as const
        const find = (runId: string) => Effect.map(ledger.runs({ runId, limit: 1 }), ([run]) => run)
        const idsOf = Effect.map(ledger.unpublished("p"), (runs) => runs.map(({ runId }) => runId))

        yield* ended(unpublishedKept.days + 1, { unpublished })
        assert.deepStrictEqual(yield* idsOf, [])
        const kept = [
          yield* ended(10, { unpublished }),
          yield* ended(9, { unpublished }),
          yield* ended(8, { unpublished }),
          yield* ended(7, { unpublished })
        ]
        yield* ended(6, {})
        yield* ended(5, { unpublished }, "q")
        yield* ledger.begin({ ...intent, startedAt: now }, lease)
        const newest = kept.slice(1).toReversed()
        assert.deepStrictEqual(
          yield* idsOf,
          newest.map(({ runId }) => runId)
        )
        assert.deepInclude(yield* find(kept[0]!.runId), { runId: kept[0]!.runId, epoch: 1, publishedAt: null })
        assert.deepStrictEqual((yield* find(kept[0]!.runId))?.receipt?.unpublished, unpublished)

        yield* ledger.published(newest[0]!, now)
        yield* ledger.published(newest[0]!, now + 5000)
        assert.deepInclude(yield* find(newest[0]!.runId), { publishedAt: now, status: "failed" })
        assert.deepStrictEqual(yield* idsOf, [newest[1]!.runId, newest[2]!.runId, kept[0]!.runId])
        const stale = yield* Effect.flip(ledger.published({ ...newest[1]!, epoch: 7 }, now))
        assert.strictEqual(stale.reason._tag, "Fenced")
        // One that is begun again has been published no more.
        const again = yield* ledger.restore({ ...intent, ...newest[0]! }, lease, [])
        assert.deepInclude(yield* find(again.runId), { publishedAt: null, status: "running", epoch: 2 })
        yield* ledger.published(again, now)
        assert.deepInclude(yield* find(again.runId), { publishedAt: null })
      })
    )

    it.effect("keeps a run from others while its lease holds, and lets it go when it is given up", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const run = yield* ledger.begin(intent, lease)
        const open = yield* ledger.open({ pipeline: "p" })
        assert.deepInclude(open, { runId: run.runId, holder: lease.holder, configHash: "c0ffee" })
        assert.isAbove(open!.leaseLeftMs, 0)
        const other = { holder: "there/2/test", durationMs: 60_000 }
        assert.strictEqual((yield* Effect.flip(ledger.takeOver(run.runId, other))).reason._tag, "LeaseHeld")
        yield* ledger.suspend(run, "interrupted")
        const [left] = yield* ledger.runs({ limit: 1 })
        assert.deepInclude(left, { status: "interrupted", finishedAt: null, receipt: null })
        assert.deepInclude(yield* ledger.open({ runId: run.runId }), { holder: null })
        const next = yield* ledger.takeOver(run.runId, other)
        assert.strictEqual(next.epoch, 2)
        yield* ledger.renew(next, { ...other, durationMs: 0 })
        assert.strictEqual((yield* ledger.takeOver(run.runId, lease)).epoch, 3)
        assert.isUndefined(yield* ledger.open({ pipeline: "another" }))
      })
    )

    it.effect("has no open run once the newest has ended, or where it is unknown", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        yield* ledger.begin(intent, lease)
        const newest = yield* ledger.begin({ ...intent, startedAt: intent.startedAt + 1 }, lease)
        assert.strictEqual((yield* ledger.open({ pipeline: "p" }))?.runId, newest.runId)
        yield* ledger.end(newest, receipt(newest.runId))
        assert.isUndefined(yield* ledger.open({ pipeline: "p" }))
        assert.isUndefined(yield* ledger.open({ runId: newest.runId }))
        assert.isUndefined(yield* ledger.open({ runId: "no-such-run" }))
      })
    )

    it.effect("takes back an intent that was refused, but none that became a job, and knows every job", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const run = yield* ledger.begin(intent, lease)
        const submission = { kind: "crawl" as const, url: "u", requestHash: "h", submittedAt: 0, tokens: 1 }
        for (const ordinal of [0, 1]) yield* ledger.recordIntent(run, { ...submission, ordinal })
        yield* ledger.recordJob(run, 1, "job-1")
        yield* ledger.rollbackIntent(run, 0)
        yield* ledger.rollbackIntent(run, 1)
        const left = yield* Stream.runCollect(ledger.submissions(run.runId))
        assert.deepStrictEqual(
          left.map(({ ordinal, jobId }) => [ordinal, jobId]),
          [[1, "job-1"]]
        )
        assert.deepStrictEqual([...(yield* ledger.findKnown(["job-1", "job-2"]))], ["job-1"])
      })
    )

    it.effect("adds up what other runs of a pipeline have cost, or may still cost", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const begun = (pipeline: string, startedAt: number) => ledger.begin({ ...intent, pipeline, startedAt }, lease)
        const run = yield* begun("spender", 1_000)
        const spent = (span: { readonly from?: number; readonly to?: number } = {}) =>
          ledger.spent({ pipeline: "spender", exceptRun: "none of these", ...span })
        const submission = { kind: "crawl" as const, url: "u", requestHash: "h", submittedAt: 0 }
        for (const [ordinal, tokens] of [50, 60, 70].entries()) {
          yield* ledger.recordIntent(run, { ...submission, ordinal, tokens })
        }
        assert.strictEqual(yield* spent(), 180)
        const jobId = `job-${run.runId}`
        yield* ledger.recordJob(run, 1, jobId)
        yield* ledger.commit({ ...commitOf(run, 1, []), jobs: [snapshot(jobId, 3, "processing")] })
        assert.strictEqual(yield* spent(), 180)
        yield* ledger.commit({ ...commitOf(run, 2, []), jobs: [snapshot(jobId, 8, "completed")] })
        assert.strictEqual(yield* spent(), 50 + 9 + 70)
        yield* ledger.rollbackIntent(run, 2)
        assert.strictEqual(yield* spent(), 59)
        yield* ledger.end(run, { ...receipt(run.runId), pipeline: "spender" })
        assert.strictEqual(yield* spent(), 59)

        const later = yield* begun("spender", 2_000)
        yield* ledger.recordIntent(later, { ...submission, ordinal: 0, tokens: 1 })
        const other = yield* begun("saver", 1_500)
        yield* ledger.recordIntent(other, { ...submission, ordinal: 0, tokens: 1_000 })
        assert.strictEqual(yield* spent(), 60)
        assert.deepStrictEqual(
          yield* Effect.all([spent({ from: 1_001 }), spent({ to: 2_000 }), spent({ from: 1_000, to: 2_001 })]),
          [1, 59, 60]
        )
        assert.strictEqual(yield* ledger.spent({ pipeline: "spender", exceptRun: run.runId }), 1)
      })
    )

    it.effect("keeps notices with the end of an attempt, once each, and none of a process that has lost the run", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const { outbox } = ledger
        // A ledger may keep none.
        if (outbox === undefined) return
        const pipeline = "noticed"
        const run = yield* ledger.begin({ ...intent, pipeline }, lease)
        const drafts = (status: "failed" | "completed") => [
          { target: "t", event: status, receipt: { ...receipt(run.runId), pipeline, status } }
        ]
        const pending = Effect.map(outbox.pending(pipeline, 10), (found) => found.map(({ event }) => event))
        assert.isUndefined(yield* outbox.lastEvent(pipeline))
        yield* ledger.suspend(run, "failed", drafts("failed"))
        yield* ledger.suspend(run, "failed", drafts("failed"))
        assert.deepStrictEqual(yield* pending, ["failed"])
        const next = yield* ledger.takeOver(run.runId, lease)
        const fenced = yield* Effect.flip(ledger.suspend(run, "halted", drafts("failed")))
        assert.strictEqual(fenced.reason._tag, "Fenced")
        assert.strictEqual(
          (yield* Effect.flip(ledger.end(run, receipt(run.runId), drafts("failed")))).reason._tag,
          "Fenced"
        )
        const [ended] = drafts("completed")
        yield* ledger.end(next, ended!.receipt, drafts("completed"))
        yield* ledger.end(next, ended!.receipt, drafts("failed"))
        assert.deepStrictEqual(yield* pending, ["failed", "completed"])
        assert.strictEqual(yield* outbox.lastEvent(pipeline), "completed")
        const [first, second] = yield* outbox.pending(pipeline, 10)
        assert.deepInclude(first, { target: "t", event: "failed", attempts: 0, receipt: drafts("failed")[0]!.receipt })
        assert.notStrictEqual(first!.noticeId, second!.noticeId)
        yield* outbox.settle(first!.noticeId, false)
        assert.strictEqual((yield* outbox.pending(pipeline, 1))[0]?.attempts, 1)
        yield* outbox.settle(first!.noticeId, true)
        yield* outbox.settle(first!.noticeId, true)
        assert.deepStrictEqual(yield* pending, ["completed"])
        // What can never be delivered is given up, and keeps none after it waiting.
        for (let attempt = 0; attempt < 100; attempt++) yield* outbox.settle(second!.noticeId, false)
        assert.deepStrictEqual(yield* pending, [])
        assert.deepStrictEqual(yield* outbox.pending("another", 10), [])
      })
    )

    it.effect("gives back what earlier attempts have left: numbers, snapshots, rows by sink", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const run = yield* ledger.begin(intent, lease)
        assert.deepStrictEqual(yield* ledger.state(run.runId), {
          lastSeq: 0,
          jobs: [],
          loaded: new Map(),
          drift: []
        })
        const jobId = `job-${run.runId}`
        yield* ledger.commit({ ...commitOf(run, 4, []), jobs: [snapshot(jobId, 3, "processing")] })
        yield* ledger.commit({
          ...commitOf(run, 2, []),
          jobs: [snapshot(jobId, 8, "completed")],
          drift: ["b", 'a"\\{},']
        })
        yield* ledger.commit({ ...commitOf(run, 7, []), sink: "t", drift: ["b", "NULL"] })
        const urls = ["https://a/1", "https://a/2", "https://a/3"]
        const lost = { code: "HTTP_ERROR", http_status: 404 }
        yield* ledger.commit({
          ...commitOf(run, 8, []),
          sink: "t",
          failures: [{ ...lost, count: 2, urls: urls.slice(0, 2) }]
        })
        yield* ledger.commit({
          ...commitOf(run, 9, []),
          sink: "t",
          failures: [
            { ...lost, count: 5, urls: [...urls.slice(1), "https://a/4"] },
            { code: "DNS_ERROR", count: 1, urls: ["https://b/"] }
          ]
        })
        const state = yield* ledger.state(run.runId)
        assert.strictEqual(state.lastSeq, 9)
        assert.deepStrictEqual(state.drift, ["NULL", 'a"\\{},', "b"])
        assert.deepStrictEqual(state.jobs, [snapshot(jobId, 8, "completed")])
        assert.deepStrictEqual(state.loaded.get("s"), {
          rows: { ...noRows, pages: 4 },
          deadLetters: 2,
          tally: { ...noTally, completed: 4, without_links: 2 }
        })
        assert.deepStrictEqual(state.loaded.get("t"), {
          rows: { ...noRows, pages: 6 },
          deadLetters: 3,
          tally: { ...noTally, completed: 6, without_links: 3 },
          failures: [
            { ...lost, count: 7, urls },
            { code: "DNS_ERROR", count: 1, urls: ["https://b/"] }
          ]
        })
      })
    )

    it.effect("holds no lease that was given up, and says once how a run ended", () =>
      Effect.gen(function* () {
        const ledger = yield* make
        const run = yield* ledger.begin(intent, lease)
        yield* ledger.suspend(run, "interrupted")
        yield* ledger.renew(run, lease)
        assert.deepInclude(yield* ledger.open({ runId: run.runId }), { holder: null })
        yield* ledger.end(run, receipt(run.runId))
        yield* ledger.suspend(run, "interrupted")
        yield* ledger.renew(run, lease)
        yield* ledger.end(run, { ...receipt(run.runId), status: "failed" })
        const [ended] = yield* ledger.runs({ limit: 1 })
        assert.deepInclude(ended, { status: "completed", receipt: receipt(run.runId) })
      })
    )

    it.effect(
      "answers any sequence of commands as the model does",
      () => Effect.flatMap(make, checkAgainstModel),
      900_000
    )
  })
}
