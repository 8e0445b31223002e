import type { Ledger, Receipt } from "@sluice/core"
import {
  addRows,
  addTallies,
  type CommittedSegment,
  type JobSnapshot,
  type Lease,
  noRows,
  noTally,
  type RunHandle,
  type RunIntent,
  type RunState,
  type RunStatus,
  type RunSummary,
  type SegmentCommit,
  type Submission,
  type SubmissionIntent
} from "@sluice/core/sink"
import { Result } from "effect"

/** Why a ledger has to refuse, as plain data. */
export type ModelRejection =
  | { readonly _tag: "Fenced"; readonly epoch: number; readonly current: number }
  | { readonly _tag: "LeaseHeld"; readonly runId: string; readonly holder: string }
  | { readonly _tag: "UnknownRun"; readonly runId: string }

/** What a ledger has to answer. */
export type Answer<A> = Result.Result<A, ModelRejection>

/** A run as a model keeps it. `lease` is null where nobody holds it. */
export interface ModelRun {
  readonly runId: string
  intent: RunIntent
  epoch: number
  status: RunStatus | "running"
  lease: Lease | null
  receipt: Receipt | null
  readonly superseded: Array<Receipt>
  publishedAt: number | null
  /** What it had cost when it ended. */
  cost: number | null
  readonly submissions: Map<number, Submission>
  readonly segments: Map<string, SegmentCommit>
  /** Those that a restored run has forgotten: what its jobs told by then is known. */
  readonly forgotten: Array<SegmentCommit>
}

/** A ledger as simple as can be, for others to be compared with. A lease longer than zero holds; it never passes. */
export class LedgerModel {
  /** Distinguishes the jobs and times of this model from those of other models of the same ledger. */
  readonly generation: number
  readonly runs: Array<ModelRun> = []

  constructor(generation: number) {
    this.generation = generation
  }

  /** Takes in a run that a ledger has begun. */
  begin(run: RunHandle, lease: Lease): void {
    const { pipeline, configHash, startedAt } = run
    this.runs.push({
      runId: run.runId,
      intent: { pipeline, configHash, startedAt },
      epoch: 1,
      status: "running",
      lease,
      receipt: null,
      superseded: [],
      publishedAt: null,
      cost: null,
      submissions: new Map(),
      segments: new Map(),
      forgotten: []
    })
  }

  restore(runId: string, configHash: string, lease: Lease, forgotten: ReadonlyArray<string>): Answer<RunHandle> {
    const run = this.#find(runId)
    if (run === undefined) return unknown(runId)
    const { lease: before } = run
    if (before !== null && holds(before)) return Result.fail({ _tag: "LeaseHeld", runId, holder: before.holder })
    run.intent = { ...run.intent, configHash }
    run.lease = lease
    run.status = "running"
    run.receipt = null
    run.publishedAt = null
    run.cost = null
    for (const [key, segment] of run.segments) {
      if (!forgotten.includes(segment.sink)) continue
      run.segments.delete(key)
      run.forgotten.push(segment)
    }
    return Result.succeed({ ...run.intent, runId, epoch: ++run.epoch })
  }

  open(which: { readonly pipeline: string } | { readonly runId: string }) {
    const run = this.#newestFirst().find((run) =>
      "runId" in which ? run.runId === which.runId : run.intent.pipeline === which.pipeline
    )
    if (run === undefined || run.receipt !== null) return undefined
    return { runId: run.runId, ...run.intent, holder: run.lease?.holder ?? null, isHeld: holds(run.lease) }
  }

  takeOver(runId: string, lease: Lease, displacing?: string): Answer<RunHandle> {
    const run = this.#find(runId)
    if (run === undefined || run.receipt !== null) return unknown(runId)
    const { lease: before } = run
    if (before !== null && holds(before) && before.holder !== displacing) {
      return Result.fail({ _tag: "LeaseHeld", runId, holder: before.holder })
    }
    run.lease = lease
    run.status = "running"
    return Result.succeed({ ...run.intent, runId, epoch: ++run.epoch })
  }

  /** A run that has ended is opened again, and its receipt kept among the earlier ones. */
  reopen(runId: string, lease: Lease): Answer<RunHandle> {
    const run = this.#find(runId)
    if (run === undefined) return unknown(runId)
    if (run.receipt === null) {
      return Result.fail({ _tag: "LeaseHeld", runId, holder: run.lease?.holder ?? "another process" })
    }
    run.superseded.push(run.receipt)
    run.receipt = null
    run.publishedAt = null
    run.cost = null
    run.lease = lease
    run.status = "running"
    return Result.succeed({ ...run.intent, runId, epoch: ++run.epoch })
  }

  /** Only a lease that is still held can be held for longer. */
  renew(handle: Handle, lease: Lease): Answer<void> {
    return this.#write(handle, (run) => {
      if (run.lease !== null) run.lease = lease
    })
  }

  suspend(handle: Handle, status: RunStatus): Answer<void> {
    return this.#write(handle, (run) => {
      if (run.receipt !== null) return
      run.status = status
      run.lease = null
    })
  }

  /** How a run ended is said once. */
  end(handle: Handle, receipt: Receipt): Answer<void> {
    return this.#write(handle, (run) => {
      if (run.receipt !== null) return
      run.receipt = receipt
      run.cost = costOf(run)
      run.status = receipt.status
      run.lease = null
    })
  }

  /** That a run was published after all is said once, of one that has ended. */
  published(handle: Handle, at: number): Answer<void> {
    return this.#write(handle, (run) => {
      if (run.receipt !== null) run.publishedAt ??= at
    })
  }

  recordIntent(handle: Handle, intent: SubmissionIntent): Answer<void> {
    return this.#write(handle, ({ submissions }) => {
      if (!submissions.has(intent.ordinal)) submissions.set(intent.ordinal, { ...intent, jobId: null })
    })
  }

  submitted(handle: Handle, ordinal: number, jobId: string): Answer<void> {
    return this.#write(handle, ({ submissions }) => {
      const submission = submissions.get(ordinal)
      if (submission !== undefined) submissions.set(ordinal, { ...submission, jobId })
    })
  }

  refused(handle: Handle, ordinal: number): Answer<void> {
    return this.#write(handle, ({ submissions }) => {
      if (submissions.get(ordinal)?.jobId === null) submissions.delete(ordinal)
    })
  }

  commit(commit: SegmentCommit): Answer<void> {
    return this.#write(commit, ({ segments }) => {
      const identity = `${commit.sink} ${commit.seq}`
      if (!segments.has(identity)) segments.set(identity, commit)
    })
  }

  knows(jobIds: ReadonlyArray<string>): ReadonlySet<string> {
    const known = new Set(this.runs.flatMap((run) => [...run.submissions.values()].map(({ jobId }) => jobId)))
    return new Set(jobIds.filter((jobId) => known.has(jobId)))
  }

  submissions(runId: string): ReadonlyArray<Submission> {
    return [...(this.#find(runId)?.submissions.values() ?? [])].toSorted((a, b) => a.ordinal - b.ordinal)
  }

  committed(runId: string, sink: string): ReadonlyArray<CommittedSegment> {
    return [...(this.#find(runId)?.segments.values() ?? [])]
      .filter((segment) => segment.sink === sink)
      .toSorted((a, b) => a.seq - b.seq)
      .map(({ epoch, keys, seq }) => ({ seq, epoch, keys }))
  }

  state(runId: string): Answer<RunState> {
    const run = this.#find(runId)
    if (run === undefined) return unknown(runId)
    const segments = [...run.segments.values()]
    const loaded = new Map<string, Pick<SegmentCommit, "rows" | "deadLetters" | "tally">>()
    for (const { deadLetters, rows, sink, tally } of segments) {
      const before = loaded.get(sink) ?? { rows: noRows, deadLetters: 0, tally: noTally }
      loaded.set(sink, {
        rows: addRows(before.rows, rows),
        deadLetters: before.deadLetters + deadLetters,
        tally: addTallies(before.tally, tally)
      })
    }
    return Result.succeed({
      lastSeq: Math.max(0, ...segments.map(({ seq }) => seq)),
      jobs: [...latestOf(run).values()],
      loaded,
      drift: [...new Set(segments.flatMap((segment) => segment.drift ?? []))].sort()
    })
  }

  spent(which: Parameters<Ledger["spent"]>[0]): number {
    return this.runs
      .filter(({ intent, runId }) => intent.pipeline === which.pipeline && runId !== which.exceptRun)
      .filter(({ intent }) => which.from === undefined || intent.startedAt >= which.from)
      .filter(({ intent }) => which.to === undefined || intent.startedAt < which.to)
      .reduce((sum, run) => sum + (run.cost ?? costOf(run)), 0)
  }

  list(options: {
    readonly pipeline?: string
    readonly runId?: string
    readonly limit: number
  }): ReadonlyArray<RunSummary> {
    return this.#newestFirst()
      .filter(({ intent }) => options.pipeline === undefined || intent.pipeline === options.pipeline)
      .filter(({ runId }) => options.runId === undefined || runId === options.runId)
      .slice(0, options.limit)
      .map(summaryOf)
  }

  #newestFirst(): ReadonlyArray<ModelRun> {
    return this.runs.toSorted((a, b) => b.intent.startedAt - a.intent.startedAt)
  }

  #find(runId: string): ModelRun | undefined {
    return this.runs.find((run) => run.runId === runId)
  }

  #write(handle: Handle, change: (run: ModelRun) => void): Answer<void> {
    const run = this.#find(handle.runId)
    if (run === undefined) return unknown(handle.runId)
    if (run.epoch !== handle.epoch) {
      return Result.fail({ _tag: "Fenced", epoch: handle.epoch, current: run.epoch })
    }
    return Result.succeed(change(run))
  }
}

/** The latest that a run was told of each of its jobs. */
const latestOf = ({ forgotten, segments }: ModelRun): ReadonlyMap<string, JobSnapshot> => {
  const jobs = new Map<string, JobSnapshot>()
  for (const job of [...forgotten, ...segments.values()].flatMap((segment) => segment.jobs)) {
    const known = jobs.get(job.jobId)
    if (known === undefined || known.observedAt < job.observedAt) jobs.set(job.jobId, job)
  }
  return jobs
}

/** What the jobs that have ended were charged, and the most that every other submission may cost. */
const costOf = (run: ModelRun): number => {
  const jobs = latestOf(run)
  return [...run.submissions.values()].reduce((sum, { jobId, tokens }) => {
    const job = jobs.get(jobId ?? "")
    const told = job === undefined ? 0 : job.tokensCharged + job.tokensReserved
    return sum + (job?.status === "completed" ? told : Math.max(tokens, told))
  }, 0)
}

const summaryOf = ({ epoch, intent, publishedAt, receipt, runId, status, superseded }: ModelRun): RunSummary => ({
  ...intent,
  runId,
  status,
  epoch,
  finishedAt: receipt === null ? null : Date.parse(receipt.finished_at),
  publishedAt,
  receipt,
  superseded: [...superseded]
})

type Handle = Pick<RunHandle, "runId" | "epoch">

const unknown = (runId: string): Answer<never> => Result.fail({ _tag: "UnknownRun", runId })

const holds = (lease: Lease | null): boolean => lease !== null && lease.durationMs > 0
