import type { AuditFailed, ReplayFailed, RunNotBegun, ScraperError } from "@sluice/core"
import type { PipelineChanged, RunFailure } from "@sluice/core/config"
import type { LedgerError, SinkError } from "@sluice/core/sink"
import { DatabaseError, type MigrationError } from "@sluice/sink-postgres"
import { CliError, exitCodes } from "./CliError.ts"

const refuse = (exitCode: number, sentence: string): CliError => new CliError({ sentences: [sentence], exitCode })

/** A refused key or an address that is no API is the user's input; everything else is the world outside. */
export const scraperCliError = (error: ScraperError): CliError => {
  const { reason } = error
  const isInput =
    reason._tag === "Unauthorized" ||
    reason._tag === "InvalidRequest" ||
    (reason._tag === "Unreadable" && !reason.broken)
  // No server has been asked: its refusal would be the wrong thing to tell.
  const isAddress = reason._tag === "InvalidRequest" && reason.status === 0
  return refuse(isInput ? exitCodes.invalid : exitCodes.failed, isAddress ? reason.detail : error.message)
}

/** A database that is down or refuses, or was prepared by a newer Sluice. */
export const databaseCliError = (error: DatabaseError | MigrationError): CliError =>
  refuse(
    error.reason._tag === "Unsuitable" ? exitCodes.invalid : exitCodes.failed,
    error.reason._tag === "Unreachable" ? `Postgres cannot be reached: ${error.reason.detail}` : error.reason.detail
  )

/** Settings that make no sense together are the user's input; a store that is down or refuses is not. */
const sinkRefusal = (error: SinkError): CliError => {
  return refuse(error.reason._tag === "SinkMisconfigured" ? exitCodes.invalid : exitCodes.failed, error.message)
}

/** The ledger's own words say that it could not be reached, which is not so where its database refused. */
export const ledgerCliError = (error: LedgerError): CliError => {
  const { _tag: tag } = error.reason
  if (tag === "Fenced" || tag === "LeaseHeld" || tag === "RunExists" || tag === "SubmissionsLost")
    return refuse(exitCodes.halted, error.message)
  if (tag === "NotEnded") return refuse(exitCodes.incomplete, error.message)
  if (tag === "EndedUnpublished") return refuse(exitCodes.invalid, error.message)
  if (tag === "UnknownRun") {
    const which = error.operation === "audit" || error.operation === "publish" ? "" : " that has not ended"
    return refuse(exitCodes.invalid, `${error.message}${which}`)
  }
  const cause = error.reason._tag === "LedgerUnavailable" ? error.reason.cause : undefined
  if (!(cause instanceof DatabaseError)) return refuse(exitCodes.failed, error.message)
  return cause.reason._tag === "Denied"
    ? refuse(
        exitCodes.failed,
        `the role may not use Sluice's tables (${cause.reason.detail}); grant it SELECT, INSERT, UPDATE and DELETE on them`
      )
    : databaseCliError(cause)
}

/** What stopped a run, as a sentence and an exit code. */
export const runCliError = (
  failure: RunFailure | RunNotBegun | AuditFailed | ReplayFailed | PipelineChanged
): CliError => {
  switch (failure._tag) {
    case "RunNotBegun":
    case "AuditFailed":
    case "ReplayFailed":
      return runCliError(failure.reason)
    case "PipelineChanged":
      return refuse(exitCodes.halted, failure.message)
    case "ExpectationFailed":
    case "NoContent":
    case "QuarantineExceeded":
    case "ReadersWouldLose":
      return refuse(exitCodes.failed, failure.message)
    case "SinkError":
      return sinkRefusal(failure)
    case "LedgerError":
      return ledgerCliError(failure)
    case "PolicyError":
      return refuse(exitCodes.failed, failure.message)
    case "SourceError": {
      const { reason } = failure
      if (reason._tag === "ScraperError") return scraperCliError(reason)
      if (reason._tag === "LedgerError") return ledgerCliError(reason)
      // Every URL was refused: nothing was paid.
      if (reason._tag === "AllRefused") return refuse(exitCodes.invalid, failure.message)
      if (reason._tag === "AllLost" || reason._tag === "MapFailed" || reason._tag === "EmptyMap")
        return refuse(exitCodes.failed, failure.message)
      const isHalted = reason._tag === "Ambiguous" || reason._tag === "OrphanedJobs" || reason._tag === "RequestChanged"
      return refuse(isHalted ? exitCodes.halted : exitCodes.incomplete, failure.message)
    }
  }
}
