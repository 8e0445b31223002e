import { Clock, Effect, Schema } from "effect"
import {
  EndedUnpublished,
  type Lease,
  LeaseHeld,
  type Ledger,
  LedgerError,
  type OpenRun,
  type RunHandle,
  type RunSummary,
  UnknownRun
} from "../../ledger/Ledger.ts"
import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import { chooseRun, hasChanged, isCarriedOut } from "./chooseRun.ts"
import { isKnownDead } from "./LeaseHolder.ts"

/** Which run to carry out: the pipeline's last one if it did not end (`auto`), a new one (`never`), or a named one. */
export type Resume = "auto" | "never" | { readonly runId: string }

/** Which run is acquired. */
export interface Acquiring {
  readonly resume: Resume
  /** The ID of a run that begins, a UUID. No run begins where one has it: that is refused with `RunExists`. */
  readonly newRunId?: string
}

/** The last run of the pipeline did not end, and the pipeline is another one now; or it is another's, of which it was replayed. */
export class PipelineChanged extends Schema.TaggedError<PipelineChanged>()("PipelineChanged", {
  runId: Schema.String,
  replayedFrom: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    if (this.replayedFrom !== undefined)
      return `run ${this.runId} is replayed from another pipeline and did not end: replay it again, or start a new run (--fresh), which pays for a new job`
    return `run ${this.runId} of this pipeline did not end or is incomplete, and the pipeline has changed since: run it as it was to resume it, or start a new run (--fresh), which pays for a new job`
  }
}

/** An acquired run: new, or resumed. */
export interface AcquiredRun {
  readonly run: RunHandle
  readonly isNew: boolean
}

type Acquisition = Effect.Effect<AcquiredRun, LedgerError | PipelineChanged>

/** How often a run that waits for another looks whether that has ended. */
const pollMs = 1000

/**
 * Begins a run, or takes the one over that did not end, as soon as nobody else may be carrying it out. One that ended incomplete
 * is opened again: by its name always, else once.
 */
export const acquireRun = (
  ledger: Ledger,
  pipeline: PipelineDefinition,
  lease: Lease,
  { newRunId, resume }: Acquiring
): Acquisition => {
  const named = newRunId === undefined ? {} : { runId: newRunId }
  if (resume === "never") return beginNew(ledger, pipeline, lease, { unlessOpen: false, ...named })
  return resume === "auto"
    ? acquireLatest(ledger, pipeline, lease, named)
    : resumeNamed(ledger, pipeline, lease, resume.runId)
}

/** Why a run that is not the pipeline's as it is now is not resumed. */
export const pipelineChanged = ({ replayedFrom, runId }: OpenRun | RunSummary): PipelineChanged =>
  new PipelineChanged({ runId, ...(replayedFrom === undefined ? {} : { replayedFrom }) })

/** What an incomplete run lacks may still be had, and for nothing: its jobs have been paid for. */
const reopen = Effect.fnUntraced(function* (
  ledger: Ledger,
  pipeline: PipelineDefinition,
  lease: Lease,
  ended: RunSummary
): Effect.fn.Return<AcquiredRun, LedgerError | PipelineChanged> {
  if (hasChanged(ended, pipeline)) return yield* pipelineChanged(ended)
  const { runId } = ended
  const run = yield* ledger.reopen(runId, lease)
  yield* Effect.logInfo(`run ${runId} ended incomplete: its jobs are read again, and nothing is submitted`)
  return { run, isNew: false }
})

const beginNew = (
  ledger: Ledger,
  { hash, name }: PipelineDefinition,
  lease: Lease,
  options: { readonly unlessOpen: boolean; readonly runId?: string }
): Effect.Effect<AcquiredRun, LedgerError> =>
  Effect.flatMap(Clock.currentTimeMillis, (startedAt) =>
    Effect.map(ledger.begin({ pipeline: name, configHash: hash, startedAt }, lease, options), (run) => ({
      run,
      isNew: true
    }))
  )

const resumeNamed = Effect.fnUntraced(function* (
  ledger: Ledger,
  pipeline: PipelineDefinition,
  lease: Lease,
  runId: string
): Effect.fn.Return<AcquiredRun, LedgerError | PipelineChanged> {
  const open = yield* ledger.open({ runId })
  if (open === undefined) {
    const [ended] = yield* ledger.runs({ runId, limit: 1 })
    if (ended?.status === "incomplete") return yield* reopen(ledger, pipeline, lease, ended)
    if (ended?.receipt?.unpublished !== undefined && ended.publishedAt === null) {
      return yield* new LedgerError({ operation: "resume", reason: new EndedUnpublished({ runId }) })
    }
    return yield* new LedgerError({ operation: "resume", reason: new UnknownRun({ runId }) })
  }
  if (yield* isCarriedOut(open)) return yield* leaseHeldBy(open)
  return yield* continueRun(ledger, pipeline, lease, open)
})

const acquireLatest = Effect.fnUntraced(function* (
  ledger: Ledger,
  pipeline: PipelineDefinition,
  lease: Lease,
  named: { readonly runId?: string }
): Effect.fn.Return<AcquiredRun, LedgerError | PipelineChanged> {
  const { waitMinutes, whenRunning } = pipeline.overlap
  const giveUpAt = (yield* Clock.currentTimeMillis) + waitMinutes * 60_000
  const waits = whenRunning === "wait"
  let told: string | undefined
  while (true) {
    const next = yield* chooseRun(ledger, pipeline)
    if (next._tag === "Busy") {
      const { open } = next
      const left = waits ? giveUpAt - (yield* Clock.currentTimeMillis) : 0
      if (left <= 0) return yield* leaseHeldBy(open)
      if (told !== open.runId) yield* tellOfWaiting(open, left)
      told = open.runId
      yield* Effect.sleep(Math.min(pollMs, left))
      continue
    }
    const held = yield* Effect.result(
      next._tag === "Resume"
        ? continueRun(ledger, pipeline, lease, next.open)
        : next._tag === "Reread"
          ? reopen(ledger, pipeline, lease, next.ended)
          : beginNew(ledger, pipeline, lease, { unlessOpen: true, ...named })
    )
    if (held._tag === "Success") return held.success
    // Another process was faster: its run is found above. A process that renews the lease that was waited for keeps the run.
    const isOutrun = held.failure._tag === "LedgerError" && held.failure.reason._tag === "LeaseHeld"
    if (!isOutrun || (next._tag === "Resume" && !waits)) return yield* held.failure
  }
})

const tellOfWaiting = ({ holder, runId }: OpenRun, left: number): Effect.Effect<void> =>
  Effect.logInfo(
    `run ${runId} is being carried out by ${holder}; waiting for it to end, ${Math.ceil(left / 60_000)} minutes at most`
  )

export const leaseHeldBy = ({ holder, runId }: OpenRun): Effect.Effect<never, LedgerError> =>
  Effect.fail(new LedgerError({ operation: "take over", reason: new LeaseHeld({ runId, holder: String(holder) }) }))

const continueRun = Effect.fnUntraced(function* (
  ledger: Ledger,
  pipeline: PipelineDefinition,
  lease: Lease,
  open: OpenRun
): Effect.fn.Return<AcquiredRun, LedgerError | PipelineChanged> {
  if (hasChanged(open, pipeline)) return yield* pipelineChanged(open)
  return { run: yield* takeOver(ledger, open, lease), isNew: false }
})

/** Takes a run over as soon as its holder is known to be dead or has let its lease pass. */
export const takeOver = Effect.fnUntraced(function* (
  ledger: Ledger,
  open: OpenRun,
  lease: Lease
): Effect.fn.Return<RunHandle, LedgerError> {
  const { holder, leaseLeftMs, runId } = open
  if (holder === null) return yield* ledger.takeOver(runId, lease)
  if (leaseLeftMs > 0 && (yield* isKnownDead(holder))) {
    const run = yield* ledger.takeOver(runId, lease, holder)
    yield* Effect.logInfo(`run ${runId} is taken over from ${holder}, which has died`)
    return run
  }
  // No longer than a lease of ours lasts: a holder that lives renews its own, and there is no point in waiting for it.
  if (leaseLeftMs > lease.durationMs) return yield* leaseHeldBy(open)
  if (leaseLeftMs > 0) {
    yield* Effect.logInfo(`run ${runId} is held by ${holder}; waiting for its lease to pass`)
    yield* Effect.sleep(leaseLeftMs + 50)
  }
  const run = yield* ledger.takeOver(runId, lease)
  yield* Effect.logInfo(`run ${runId} is taken over from ${holder}, whose lease had passed`)
  return run
})
