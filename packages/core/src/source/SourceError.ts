import { Schema } from "effect"
import { ScraperError } from "../api/ScraperError.ts"
import { LedgerError } from "../ledger/Ledger.ts"
import { Ambiguous } from "./Adoption.ts"
import { AnswerLost, RequestChanged } from "./SubmitFailure.ts"

/** The job ended, and what it delivered differs from its own counters after all sweeps. */
export class Incomplete extends Schema.TaggedError<Incomplete>()("Incomplete", {
  jobId: Schema.String,
  expected: Schema.Int,
  delivered: Schema.Int
}) {}
/** The job was known and is not any more. */
export class Vanished extends Schema.TaggedError<Vanished>()("Vanished", { jobId: Schema.String }) {}
/** The job has not ended within the deadline. It may still run, and can be read again. */
export class DeadlinePassed extends Schema.TaggedError<DeadlinePassed>()("DeadlinePassed", {
  jobId: Schema.String,
  afterMs: Schema.Finite
}) {}
/** The API failed in a way retries did not mend. */
export class ApiFailed extends Schema.TaggedError<ApiFailed>()("ApiFailed", { error: ScraperError }) {}
/** The ledger failed, or refused because another process has taken the run over. */
export class LedgerFailed extends Schema.TaggedError<LedgerFailed>()("LedgerFailed", { error: LedgerError }) {}

/** The answer to a submission was lost and more than one job could be it: somebody has to decide. */
export class Undecided extends Schema.TaggedError<Undecided>()("Undecided", { error: Ambiguous }) {}

/** Every failure of a source. Records delivered before it stand. */
export class SourceError extends Schema.TaggedError<SourceError>()("SourceError", {
  source: Schema.String,
  reason: Schema.Union([
    Incomplete,
    Vanished,
    DeadlinePassed,
    ApiFailed,
    LedgerFailed,
    Undecided,
    AnswerLost,
    RequestChanged
  ])
}) {
  override get message(): string {
    const { reason } = this
    switch (reason._tag) {
      case "Incomplete":
        return `job ${reason.jobId} counts ${reason.expected} ended pages and ${reason.delivered} could be read`
      case "Vanished":
        return `job ${reason.jobId} was known to the API and is not any more`
      case "DeadlinePassed":
        return `job ${reason.jobId} has not ended within ${Math.round(reason.afterMs / 1000)} s; it may still be running`
      case "AnswerLost":
      case "RequestChanged":
        return reason.message
      default:
        return reason.error.message
    }
  }
}
