import type { LedgerError, RunFailure, RunNotBegun, ScraperError, SinkError } from "@sluice/core"
import { exitCodes, Refusal } from "./Refusal.ts"

const refuse = (exitCode: number, sentence: string): Refusal => new Refusal({ sentences: [sentence], exitCode })

/** A refused key or an address that is no API is the user's input; everything else is the world outside. */
export const scraperRefusal = (error: ScraperError): Refusal => {
  const { reason } = error
  const isInput =
    reason._tag === "Unauthorized" ||
    reason._tag === "InvalidRequest" ||
    (reason._tag === "Unreadable" && !reason.broken)
  return refuse(isInput ? exitCodes.invalid : exitCodes.failed, error.message)
}

/** Settings that make no sense together are the user's input; a store that is down or refuses is not. */
const sinkRefusal = (error: SinkError): Refusal =>
  refuse(error.reason._tag === "SinkMisconfigured" ? exitCodes.invalid : exitCodes.failed, error.message)

const ledgerRefusal = (error: LedgerError): Refusal =>
  refuse(error.reason._tag === "Fenced" ? exitCodes.halted : exitCodes.failed, error.message)

/** What stopped a run, as a sentence and an exit code. */
export const runRefusal = (failure: RunFailure | RunNotBegun): Refusal => {
  switch (failure._tag) {
    case "RunNotBegun":
      return runRefusal(failure.error)
    case "SinkError":
      return sinkRefusal(failure)
    case "LedgerError":
      return ledgerRefusal(failure)
    case "SourceError": {
      const { reason } = failure
      if (reason._tag === "ApiFailed") return scraperRefusal(reason.error)
      if (reason._tag === "LedgerFailed") return ledgerRefusal(reason.error)
      return refuse(exitCodes.incomplete, failure.message)
    }
  }
}
