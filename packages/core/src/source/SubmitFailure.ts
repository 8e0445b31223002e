import { Schema } from "effect"
import type { ScraperError } from "../api/ScraperError.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import type { Ambiguous } from "./Adoption.ts"
import type { OrphanedJobs } from "./Orphans.ts"

/** The answer to a submission that cannot be found again was lost. It may have been paid for. */
export class AnswerLost extends Schema.TaggedError<AnswerLost>()("AnswerLost", { url: Schema.String }) {
  override get message(): string {
    return `the answer for ${this.url} was lost, and asking again could pay again`
  }
}

/** The submission of an earlier attempt at this place was another one: what was asked for has changed in between. */
export class RequestChanged extends Schema.TaggedError<RequestChanged>()("RequestChanged", {
  ordinal: Schema.Int,
  url: Schema.String
}) {
  override get message(): string {
    return `submission ${this.ordinal} of this run asked for something else before (now ${this.url}): what the source names has changed since, so the run cannot be resumed; start a new run (--fresh), which pays again`
  }
}

/** Why a submission came to nothing. */
export type SubmitFailure = ScraperError | LedgerError | Ambiguous | OrphanedJobs | AnswerLost | RequestChanged
