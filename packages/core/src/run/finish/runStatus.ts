import { Cause, Exit, Option } from "effect"
import type { LedgerError } from "../../ledger/Ledger.ts"
import type { Receipt, RunStatus } from "../../ledger/Receipt.ts"
import { blocksPublish, type PublishBlocked } from "../../pipeline/PublishBlocked.ts"
import { uncountable } from "../../record/Drift.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import { SourceError, type Unreconciled } from "../../source/SourceError.ts"
import { sourceKinds } from "../../source/sourceKinds.ts"
import type { RunTracker } from "../acquire/RunTracker.ts"
import type { PolicyError } from "../deliver/PolicyError.ts"
import type { BudgetTracker } from "../submit/BudgetTracker.ts"

/** What can stop a run. */
export type RunFailure = SourceError | SinkError | LedgerError | PolicyError | PublishBlocked

/**
 * How a run ended, and what stopped it if something did: what `Pipeline.execute` returns. `failure` is empty for a run that ended
 * without an error, which is not to say that it completed: read `receipt.status`.
 *
 * @example
 * ```ts
 * import { Crawl, type Outcome, Pipeline } from "@sluice/core"
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Effect } from "effect"
 *
 * const pipeline = Pipeline.make({
 *   name: "docs",
 *   source: Crawl.make({ url: "https://example.com/", limit: 100 }),
 *   sinks: [Postgres.sink({ url: "postgres://localhost/lake" })]
 * })
 * const exitCode = ({ mayHavePaid, receipt }: Outcome) => (receipt.status === "completed" ? 0 : mayHavePaid ? 1 : 2)
 * const code = Effect.map(Pipeline.execute(pipeline), exitCode)
 * ```
 */
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
  unreconciled: ReadonlyArray<Unreconciled>,
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
      case "Ambiguous":
      case "OrphanedJobs":
      case "RequestChanged":
        return "halted"
      case "ScraperError":
        return error.reason.reason._tag === "PaymentRequired" ? "stopped_budget" : "failed"
      case "LedgerError":
        return haltsRun(error.reason) ? "halted" : "failed"
      default:
        return "failed"
    }
  }
  if (unreconciled.length > 0 || tracker.drift.includes(uncountable)) return "incomplete"
  if (isOverBudget) return "stopped_budget"
  if (tracker.jobs.some(({ kind, status }) => status === "failed" && !sourceKinds[kind].isOnePage)) return "failed"
  if (tracker.jobs.some(({ kind, status }) => status === "cancelled" && !sourceKinds[kind].isOnePage))
    return "incomplete"
  return isAllCancelled(tracker.progress.pages) ? "incomplete" : "completed"
}

/** Why it did not complete, as the receipt says it. */
export const reasonOf = (
  status: RunStatus,
  failure: Option.Option<RunFailure>,
  {
    budgetTracker,
    tracker,
    unreconciled
  }: {
    readonly tracker: RunTracker
    readonly unreconciled: ReadonlyArray<Unreconciled>
    readonly budgetTracker: BudgetTracker
  }
): { readonly reason?: string } => {
  if (status === "completed") return {}
  if (Option.isSome(failure)) return { reason: failure.value.message }
  if (status === "interrupted") {
    return { reason: "interrupted; remote jobs keep running, and the next run of the pipeline resumes them" }
  }
  if (status === "stopped_budget")
    return { reason: `the budget is used up (${budgetTracker.bound}); what was paid for is landed` }
  const [first] = unreconciled
  if (first !== undefined) return { reason: new SourceError({ source: "job", reason: first }).message }
  if (tracker.drift.includes(uncountable)) return { reason: uncountableReason }
  const { pages } = tracker.progress
  if (isAllCancelled(pages)) return { reason: `the API cancelled all ${pages.cancelled} pages` }
  return { reason: endedJobs(tracker) }
}

/** Codes that a reason names: the receipt has the others. */
const mostCodesNamed = 3

/** Which jobs the API ended otherwise than completed, and by which codes their pages failed. */
const endedJobs = ({ failures, jobs }: RunTracker): string => {
  const ended = jobs.filter(({ status }) => status === "failed" || status === "cancelled")
  const [first, second] = ended
  if (first === undefined) return "unknown"
  const which = second === undefined ? `job ${first.jobId}` : `${ended.length} of ${jobs.length} jobs`
  const named = failures.slice(0, mostCodesNamed).map(({ code, count, http_status: http }) => {
    const status = http === undefined ? "" : ` (${http})`
    return `${count} ${count === 1 ? "page" : "pages"} with ${code}${status}`
  })
  const others = failures.length > mostCodesNamed ? " and others" : ""
  const why = named.length === 0 ? "" : `; failed: ${named.join(", ")}${others}`
  return `the API ended ${which} as ${ended.some(({ status }) => status === "failed") ? "failed" : "cancelled"}${why}`
}

const isAllCancelled = ({ cancelled, completed, failed }: Receipt["pages"]): boolean =>
  cancelled > 0 && completed === 0 && failed === 0

/** An earlier attempt has met them: how many they are is in the sinks. */
const uncountableReason = "some results do not say which page they are or how it ended; they are kept as dead letters"

/** Another process has the run: nothing can be written any more. */
const haltsRun = (error: LedgerError): boolean => error.reason._tag === "Fenced"

/**
 * Whether a run has ended for good. One that something outside has stopped, while jobs that may have been paid for are under
 * way, has not: the next attempt resumes it. One that was loaded completely and must not be published has.
 */
export const isFinal = (status: RunStatus, failure: Option.Option<RunFailure>, hasSubmitted: boolean): boolean => {
  if (status === "interrupted" || status === "halted") return false
  if (Option.isSome(failure) && endsForGood(failure.value)) return true
  return Option.isNone(failure) || blocksPublish(failure.value) || !hasSubmitted
}

/** Nothing of these changes when the same run is read again. */
const endsForGood = (failure: RunFailure): boolean =>
  failure._tag === "SourceError" &&
  (failure.reason._tag === "AllRefused" || failure.reason._tag === "AllLost" || failure.reason._tag === "EmptyMap")
