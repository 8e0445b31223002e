import { Cause, Exit, Option } from "effect"
import type { LedgerError } from "../ledger/Ledger.ts"
import type { Receipt, RunStatus } from "../ledger/Receipt.ts"
import { blocksPublish, type PublishBlocked } from "../pipeline/PublishBlocked.ts"
import type { SinkError } from "../sink/SinkError.ts"
import { type Incomplete, SourceError, type Vanished } from "../source/SourceError.ts"
import type { PolicyError } from "./PolicyError.ts"
import type { Purse } from "./Purse.ts"
import type { RunTracker } from "./RunTracker.ts"

/** What can stop a run. */
export type RunFailure = SourceError | SinkError | LedgerError | PolicyError | PublishBlocked

/** How a run ended, and what stopped it if something did. */
export interface Outcome {
  readonly receipt: Receipt
  readonly failure: Option.Option<RunFailure>
  /** Whether anything may have been paid for, by this attempt or an earlier one. */
  readonly mayHavePaid: boolean
}

/** How a run ended. */
export const statusOf = (
  exit: Exit.Exit<unknown, RunFailure>,
  tracker: RunTracker,
  unreconciled: ReadonlyArray<Incomplete | Vanished>,
  isOverBudget: boolean
): RunStatus => {
  if (Exit.isFailure(exit)) {
    if (Cause.hasInterruptsOnly(exit.cause)) return "interrupted"
    const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    if (error === undefined) return "failed"
    if (error._tag === "LedgerError") return haltsRun(error) ? "halted" : "failed"
    if (error._tag === "SinkError" || error._tag === "PolicyError" || blocksPublish(error)) return "failed"
    switch (error.reason._tag) {
      case "DeadlinePassed":
        return "incomplete"
      case "Undecided":
      case "RequestChanged":
        return "halted"
      case "ApiFailed":
        return error.reason.error.reason._tag === "PaymentRequired" ? "stopped_budget" : "failed"
      case "LedgerFailed":
        return haltsRun(error.reason.error) ? "halted" : "failed"
      default:
        return "failed"
    }
  }
  if (unreconciled.length > 0) return "incomplete"
  if (isOverBudget) return "stopped_budget"
  if (tracker.jobs.some(({ kind, status }) => status === "failed" && kind !== "extract")) return "failed"
  return tracker.jobs.some(({ kind, status }) => status === "cancelled" && kind !== "extract")
    ? "incomplete"
    : "completed"
}

/** Why it did not complete, as the receipt says it. */
export const reasonOf = (
  status: RunStatus,
  failure: Option.Option<RunFailure>,
  {
    purse,
    tracker,
    unreconciled
  }: {
    readonly tracker: RunTracker
    readonly unreconciled: ReadonlyArray<Incomplete | Vanished>
    readonly purse: Purse
  }
): { readonly reason?: string } => {
  if (status === "completed") return {}
  if (Option.isSome(failure)) return { reason: failure.value.message }
  if (status === "interrupted") {
    return { reason: "interrupted; remote jobs were left running, and running the pipeline again goes on with them" }
  }
  if (status === "stopped_budget")
    return { reason: `the budget is used up (${purse.bound}); what was paid for is landed` }
  const [first] = unreconciled
  if (first !== undefined) return { reason: new SourceError({ source: "job", reason: first }).message }
  const job = tracker.jobs.find((job) => job.status === "failed" || job.status === "cancelled")
  return { reason: job === undefined ? "unknown" : `the API ended job ${job.jobId} as ${job.status}` }
}

/** Another process has the run: nothing can be written any more. */
const haltsRun = (error: LedgerError): boolean => error.reason._tag === "Fenced"

/**
 * Whether a run has ended for good. One that something outside has stopped, while jobs that may have been paid for are under
 * way, has not: the next attempt goes on with it. One that was loaded whole and is not to be published has.
 */
export const isOver = (status: RunStatus, failure: Option.Option<RunFailure>, hasAsked: boolean): boolean => {
  if (status === "interrupted" || status === "halted") return false
  return Option.isNone(failure) || blocksPublish(failure.value) || !hasAsked
}
