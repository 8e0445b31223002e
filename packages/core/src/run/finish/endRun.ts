import { Cause, DateTime, Effect, Exit, Option, Schedule, Stream } from "effect"
import type { RequestCounter } from "../../api/RequestCounter.ts"
import type { LedgerError } from "../../ledger/Ledger.ts"
import type { Receipt } from "../../ledger/Receipt.ts"
import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import { blocksPublish } from "../../pipeline/PublishBlocked.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import type { RunContext } from "../acquire/RunContext.ts"
import { isTransient } from "../deliver/SegmentWriter.ts"
import type { RunOptions } from "../RunOptions.ts"
import { describeFate, isLostRun } from "./lostRun.ts"
import { makeReceipt } from "./makeReceipt.ts"
import type { RunPublisher } from "./runPublisher.ts"
import { isFinal, type Outcome, type RunFailure } from "./runStatus.ts"
import type { RunVerdict } from "./runVerdict.ts"

/** What ending a run needs besides its context. */
export interface EndOptions {
  readonly pipeline: PipelineDefinition
  readonly verdict: RunVerdict
  readonly publisher: RunPublisher
  readonly requests: RequestCounter
  readonly hasSubmitted: () => boolean
  /** Changes the receipt before it is kept: a replay keeps the counts of the run it replays. */
  readonly amend: (receipt: Receipt) => Receipt
  readonly notices: RunOptions["notices"]
  readonly onReceipt: ((receipt: Receipt) => Effect.Effect<void>) | undefined
}

/** How often the end of a run is written again after a transient failure. */
const endRetries = 2

/**
 * Ends an attempt of a run: publishes what readers may see of it, and writes its receipt to vault and ledger. A run that is not
 * over is suspended in the ledger, for the next attempt. So is one whose publication or receipt failed.
 */
export const endRun = Effect.fnUntraced(function* (
  context: RunContext,
  exit: Exit.Exit<void, RunFailure>,
  { amend, hasSubmitted, notices, onReceipt, pipeline, publisher, requests, verdict }: EndOptions
): Effect.fn.Return<Outcome> {
  const { ledger, run, targets } = context
  const failure: Option.Option<RunFailure> = Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : Option.none()
  const status = verdict.status(exit)
  const hasEnded = isFinal(status, failure, hasSubmitted())
  const isBlocked = Option.isSome(Option.filter(failure, blocksPublish))
  // What could not be published now is published by the next attempt: the run stays open.
  const isPublished =
    status === "completed" || !hasEnded || isBlocked || (yield* publisher.publishPaid(status, targets))
  const receipt = amend(
    makeReceipt(pipeline, context, {
      status,
      failure,
      requests,
      finishedAt: yield* DateTime.now,
      ...verdict.reason(status, failure)
    })
  )
  const report = (receipt: Receipt) => onReceipt?.(receipt) ?? Effect.void
  const told = ledger.outbox === undefined ? [] : yield* notices?.(receipt, ledger) ?? Effect.succeed([])
  const write =
    hasEnded && isPublished
      ? Effect.andThen(
          keepReceipt(context, receipt),
          Effect.andThen(ledger.end(run, receipt, told), closeVault(context))
        )
      : ledger.suspend(run, status, told)
  // Writing it twice changes nothing, and the connection may have been closed meanwhile.
  const written = yield* Effect.result(
    Effect.retry(write, { times: endRetries, schedule: Schedule.exponential("100 millis"), while: isTransient })
  )
  // A process that lost the run says so, whatever else failed.
  const isLost = written._tag === "Failure" && isLostRun(written.failure)
  if (written._tag === "Failure" && (status === "completed" || isLost)) {
    const reason = isLost ? yield* describeFate(ledger, run.runId) : written.failure.message
    const unwritten: Receipt = { ...receipt, status: isLost ? "halted" : "failed", reason }
    yield* report(unwritten)
    return { receipt: unwritten, failure: Option.some(written.failure), mayHavePaid: hasSubmitted() }
  }
  if (Exit.isFailure(exit) && Option.isNone(failure) && status !== "interrupted") {
    return yield* Effect.failCause(exit.cause as Cause.Cause<never>)
  }
  yield* report(receipt)
  return { receipt, failure, mayHavePaid: hasSubmitted() }
})

/** Keeps the receipt in the vault before the ledger has it: the vault can restore a ledger, not the other way round. */
const keepReceipt = (
  { ledger, run, vault }: RunContext,
  receipt: Receipt
): Effect.Effect<void, SinkError | LedgerError> => {
  const keep = vault?.keepReceipt
  if (keep === undefined) return Effect.void
  return Effect.flatMap(Stream.runCollect(ledger.submissions(run.runId)), (submissions) =>
    keep({ receipt, submissions })
  )
}

/** Removes what the run stored. The run is over: a failure here is no reason to call it failed. */
const closeVault = ({ vault }: RunContext): Effect.Effect<void> =>
  vault?.close?.pipe(
    Effect.catch((error) => Effect.logWarning(`the stored segments of the run could not be removed: ${error.message}`))
  ) ?? Effect.void
