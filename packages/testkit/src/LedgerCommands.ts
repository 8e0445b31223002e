import { assert } from "@effect/vitest"
import type { Ledger, Receipt } from "@sluice/core"
import {
  type JobSnapshot,
  type Lease,
  noRows,
  noTally,
  type RunHandle,
  RunStatus,
  type SegmentCommit
} from "@sluice/core/sink"
import { Effect } from "effect"
import * as fc from "fast-check"
import type { LedgerModel } from "./LedgerModel.ts"
import { type Call, compare, questions, startOf } from "./LedgerQuestions.ts"

/** What commands are carried out on, besides the model. */
export interface Real {
  readonly ledger: Ledger
  readonly perform: (effect: Effect.Effect<void>) => Promise<void>
}

type Command = fc.AsyncCommand<LedgerModel, Real>

const mostRuns = 4
const lastVersion = 5

// Runs go by number, so that a shrunk sequence reads well; past them come two that never were.
const unknownRuns = ["00000000-0000-4000-8000-000000000000", "no-such-run"] as const

const runIdOf = (model: LedgerModel, run: number): string =>
  unknownRuns[run - mostRuns] ?? model.runs[run % Math.max(1, model.runs.length)]?.runId ?? unknownRuns[0]

/** Somebody who holds a run, or did so this many takeovers ago. */
interface Holder {
  readonly run: number
  readonly age: number
}

const handleOf = (model: LedgerModel, { age, run }: Holder): RunHandle => {
  const runId = runIdOf(model, run)
  const known = model.runs.find((other) => other.runId === runId)
  const { epoch = 1, intent = { pipeline: "p", configHash: "h", startedAt: 0 } } = known ?? {}
  return { ...intent, runId, epoch: Math.max(1, epoch - age) }
}

const jobIdOf = (model: LedgerModel, runId: string, job: number): string =>
  `job-${model.generation}-${model.runs.findIndex((run) => run.runId === runId)}-${job}`

/** A job's counters only grow, and its end is the last that is told of it. */
const snapshotOf = (jobId: string, version: number): JobSnapshot => ({
  jobId,
  kind: "crawl",
  url: `https://a.example/${jobId}`,
  status: version === lastVersion ? "completed" : "processing",
  discovered: 9,
  completed: version,
  failed: 1,
  cancelled: 0,
  tokensCharged: version,
  tokensReserved: lastVersion - version,
  observedAt: 1_750_000_000_000 + version
})

const receiptOf = ({ configHash, pipeline, runId }: RunHandle, status: RunStatus, delivered: number): Receipt => ({
  run_id: runId,
  pipeline,
  config_hash: configHash,
  status,
  started_at: "2025-06-15T15:06:40.123Z",
  finished_at: `2025-06-15T15:07:0${delivered}.000Z`,
  jobs: [],
  pages: { discovered: 9, completed: 9, failed: 0, cancelled: 0, delivered },
  tokens: { charged: 9, reserved: 0 },
  sinks: [],
  requests: { submitted: 1, reads: 2, retries: 0 }
})

// Mostly the same run and its current holder: what goes wrong takes several commands on one.
const aRun = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.nat(mostRuns - 1) },
  { weight: 1, arbitrary: fc.constantFrom(mostRuns, mostRuns + 1) }
)
const aHolder: fc.Arbitrary<Holder> = fc.record({
  run: aRun,
  age: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) })
})
const aName = fc.constantFrom("a/1/x", "b/2/y", "c/3/z")
// One that holds for as long as a test can take, one that passes at once, one that is past.
const aLease: fc.Arbitrary<Lease> = fc.record({ holder: aName, durationMs: fc.constantFrom(3_600_000, 0, -1000) })
const aPipeline = fc.constantFrom("p", "q")
const anOrdinal = fc.nat(2)
const aJob = fc.nat(2)
const aSink = fc.constantFrom("s", "t")
const aStatus = fc.constantFrom(...RunStatus.literals)
const anInstant = fc.option(fc.nat(100), { nil: undefined })
const someKeys = fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String))

/** A command that is one call. */
const calling = <Args, A>(
  name: string,
  args: fc.Arbitrary<Args>,
  call: (model: LedgerModel, ledger: Ledger, args: Args) => Call<A>
): fc.Arbitrary<Command> =>
  args.map((drawn) => ({
    check: () => true,
    run: (model, { ledger, perform }) => perform(Effect.suspend(() => compare(call(model, ledger, drawn)))),
    toString: () => `${name} ${JSON.stringify(drawn)}`
  }))

/** A command of somebody who holds a run, or once did. */
const writing = <Args>(
  name: string,
  args: fc.Arbitrary<Args>,
  call: (model: LedgerModel, ledger: Ledger, handle: RunHandle, args: Args) => Call<void>
): fc.Arbitrary<Command> =>
  calling(name, fc.tuple(aHolder, args), (model, ledger, [holder, drawn]) =>
    call(model, ledger, handleOf(model, holder), drawn)
  )

/** Begins a run. Runs of one millisecond are as new as each other, and no order of them is promised: there are none. */
export const begin = fc
  .record({ pipeline: aPipeline, after: fc.nat(99), lease: aLease })
  .map(({ after, lease, pipeline }): Command => {
    const intentOf = (model: LedgerModel) => ({ pipeline, configHash: `h${after}`, startedAt: startOf(model) + after })
    return {
      check: (model) =>
        model.runs.length < mostRuns && model.runs.every(({ intent }) => intent.startedAt !== startOf(model) + after),
      run: (model, { ledger, perform }) =>
        ledger.begin(intentOf(model), lease).pipe(
          Effect.tap((run) => {
            assert.deepStrictEqual(run, { ...intentOf(model), runId: run.runId, epoch: 1 })
            return Effect.sync(() => model.begin(run, lease))
          }),
          Effect.asVoid,
          Effect.orDie,
          perform
        ),
      toString: () => `begin ${JSON.stringify({ pipeline, after, lease })}`
    }
  })

const lives = [
  begin,
  calling(
    "takeOver",
    fc.record({ run: aRun, lease: aLease, displacing: fc.option(aName, { nil: undefined }) }),
    (model, ledger, { displacing, lease, run }) => {
      const runId = runIdOf(model, run)
      return { asked: ledger.takeOver(runId, lease, displacing), expected: model.takeOver(runId, lease, displacing) }
    }
  ),
  calling(
    "restore",
    // Only existing runs: restoring an unknown run creates it, which is covered below.
    fc.record({ run: fc.nat(mostRuns - 1), lease: aLease, forgotten: fc.subarray(["s", "t"]), config: fc.nat(2) }),
    (model, ledger, { config, forgotten, lease, run }) => {
      const runId = runIdOf(model, run)
      const known = model.runs.find((other) => other.runId === runId)
      if (known === undefined) return { asked: ledger.takeOver(runId, lease), expected: model.takeOver(runId, lease) }
      const intent = { ...known.intent, runId, configHash: `restored-${config}` }
      return {
        asked: ledger.restore(intent, lease, forgotten),
        expected: model.restore(runId, intent.configHash, lease, forgotten)
      }
    }
  ),
  calling("reopen", fc.record({ run: aRun, lease: aLease }), (model, ledger, { lease, run }) => {
    const runId = runIdOf(model, run)
    return { asked: ledger.reopen(runId, lease), expected: model.reopen(runId, lease) }
  }),
  writing("renew", aLease, (model, ledger, handle, lease) => ({
    asked: ledger.renew(handle, lease),
    expected: model.renew(handle, lease)
  })),
  writing("suspend", aStatus, (model, ledger, handle, status) => ({
    asked: ledger.suspend(handle, status),
    expected: model.suspend(handle, status)
  })),
  writing("end", fc.tuple(aStatus, fc.nat(9)), (model, ledger, handle, [status, delivered]) => {
    const receipt = receiptOf(handle, status, delivered)
    return { asked: ledger.end(handle, receipt), expected: model.end(handle, receipt) }
  }),
  writing("published", fc.nat(9), (model, ledger, handle, seconds) => {
    const at = 1_760_000_000_000 + 1000 * seconds
    return { asked: ledger.published(handle, at), expected: model.published(handle, at) }
  })
]

const submissions = [
  writing(
    "intend",
    fc.record({ ordinal: anOrdinal, kind: fc.constantFrom("crawl", "extract", "batch", "map"), made: fc.nat(3) }),
    (model, ledger, handle, { kind, made, ordinal }) => {
      const submittedAt = 1_750_000_000_000 + made
      const url = `https://a.example/${made}`
      const intent = { ordinal, kind, url, requestHash: `h${made}`, submittedAt, tokens: 1 + 7 * made }
      return { asked: ledger.recordIntent(handle, intent), expected: model.recordIntent(handle, intent) }
    }
  ),
  writing("submitted", fc.record({ ordinal: anOrdinal, job: aJob }), (model, ledger, handle, { job, ordinal }) => {
    const jobId = jobIdOf(model, handle.runId, job)
    return { asked: ledger.recordJob(handle, ordinal, jobId), expected: model.submitted(handle, ordinal, jobId) }
  }),
  writing("refused", anOrdinal, (model, ledger, handle, ordinal) => ({
    asked: ledger.rollbackIntent(handle, ordinal),
    expected: model.refused(handle, ordinal)
  }))
]

const commit = writing(
  "commit",
  fc.record({
    sink: aSink,
    seq: fc.integer({ min: 1, max: 3 }),
    keys: fc.array(fc.record({ job: aJob, keys: someKeys }), { maxLength: 3 }),
    jobs: fc.uniqueArray(fc.record({ job: aJob, version: fc.integer({ min: 1, max: lastVersion }) }), {
      maxLength: 3,
      selector: ({ job }) => job
    }),
    pages: fc.nat(3),
    empty: fc.nat(3),
    deadLetters: fc.nat(2)
  }),
  (model, ledger, { epoch, runId }, { deadLetters, empty, jobs, keys, pages, seq, sink }) => {
    const jobId = (job: number) => jobIdOf(model, runId, job)
    const commit: SegmentCommit = {
      runId,
      epoch,
      sink,
      seq,
      bytes: 10,
      keys: keys.map(({ job, keys }) => ({ jobId: jobId(job), keys: BigInt64Array.from(keys, BigInt) })),
      jobs: jobs.map(({ job, version }) => snapshotOf(jobId(job), version)),
      rows: { ...noRows, pages, links: 2 * pages },
      deadLetters,
      tally: { ...noTally, completed: pages, failed: deadLetters, without_markdown: empty, without_http_status: 1 }
    }
    return { asked: ledger.commit(commit), expected: model.commit(commit) }
  }
)

const asking = [
  calling("open", aRun, (model, ledger, run) => questions.open(model, ledger, { runId: runIdOf(model, run) })),
  calling("open", aPipeline, (model, ledger, pipeline) => questions.open(model, ledger, { pipeline })),
  calling("submissions", aRun, (model, ledger, run) => questions.submissions(model, ledger, runIdOf(model, run))),
  calling("committed", fc.tuple(aRun, aSink), (model, ledger, [run, sink]) =>
    questions.committed(model, ledger, runIdOf(model, run), sink)
  ),
  calling("state", aRun, (model, ledger, run) => questions.state(model, ledger, runIdOf(model, run))),
  calling("knows", fc.tuple(aRun, aJob), (model, ledger, [run, job]) =>
    questions.knows(model, ledger, [jobIdOf(model, runIdOf(model, run), job), "job-of-nobody"])
  ),
  calling(
    "spent",
    fc.record({ pipeline: aPipeline, except: aRun, from: anInstant, to: anInstant }),
    (model, ledger, { except, from, pipeline, to }) =>
      questions.spent(model, ledger, {
        pipeline,
        exceptRun: runIdOf(model, except),
        ...(from === undefined ? {} : { from: startOf(model) + from }),
        ...(to === undefined ? {} : { to: startOf(model) + to })
      })
  ),
  calling(
    "runs",
    fc.record({ limit: fc.integer({ min: 1, max: mostRuns }), pipeline: aPipeline }, { requiredKeys: ["limit"] }),
    (model, ledger, options) => questions.runs(model, ledger, options)
  )
]

/** Everything that can be asked of a ledger, in the shares it is drawn with. */
export const ledgerCommands: Array<fc.Arbitrary<Command>> = [
  ...lives,
  ...submissions,
  ...submissions,
  commit,
  commit,
  commit,
  ...asking
]
