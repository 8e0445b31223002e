import { Schema } from "effect"
import { ScraperError } from "../api/ScraperError.ts"
import { LedgerError } from "../ledger/Ledger.ts"
import { Ambiguous } from "./Adoption.ts"
import { OrphanedJobs } from "./Orphans.ts"
import { AnswerLost, RequestChanged } from "./SubmitFailure.ts"

/** The job ended, and what it delivered differs from its own counters after all sweeps. */
export class Incomplete extends Schema.TaggedError<Incomplete>()("Incomplete", {
  jobId: Schema.String,
  expected: Schema.Int,
  delivered: Schema.Int
}) {}
/** The job holds results that do not say which page they are, or how that ended. They are dead letters; all others were delivered. */
export class Uncountable extends Schema.TaggedError<Uncountable>()("Uncountable", {
  jobId: Schema.String,
  results: Schema.Int
}) {}
/** The job was known and is not any more. */
export class Vanished extends Schema.TaggedError<Vanished>()("Vanished", { jobId: Schema.String }) {}
/** The job has not ended within the deadline. It may still run, and can be read again. */
export class DeadlinePassed extends Schema.TaggedError<DeadlinePassed>()("DeadlinePassed", {
  jobId: Schema.String,
  afterMs: Schema.Finite
}) {}
/** The API has refused every URL: nothing was paid. `detail` is the last of its refusals. */
export class AllRefused extends Schema.TaggedError<AllRefused>()("AllRefused", {
  urls: Schema.Int,
  detail: Schema.String
}) {}
/** The answer for every URL was lost. Each may have been paid for. */
export class AllLost extends Schema.TaggedError<AllLost>()("AllLost", { urls: Schema.Int }) {}
/** The API says that a map did not succeed. */
export class MapFailed extends Schema.TaggedError<MapFailed>()("MapFailed", {
  url: Schema.String,
  /** The API's own words. */
  detail: Schema.String
}) {}
/** A map found no URL, where a pipeline expects some. */
export class EmptyMap extends Schema.TaggedError<EmptyMap>()("EmptyMap", { url: Schema.String }) {}
/** Why what a job has delivered is not known to be all of it. */
export type Unreconciled = Incomplete | Uncountable | Vanished

/**
 * Every failure of a source: of the job, of the API, or of the ledger. Records delivered before it are kept.
 *
 * `reason` says which: `DeadlinePassed` leaves the job running, `Ambiguous` and `AnswerLost` mean that a submission may have been
 * paid for. Times in reasons are milliseconds.
 *
 * @example
 * ```ts
 * import { Crawl } from "@sluice/core"
 * import { Stream } from "effect"
 *
 * const pages = Crawl.records({ url: "https://example.com/" }).pipe(
 *   Stream.catchTag("SourceError", (error) => (error.reason._tag === "Vanished" ? Stream.empty : Stream.fail(error)))
 * )
 * ```
 */
export class SourceError extends Schema.TaggedError<SourceError>()("SourceError", {
  source: Schema.String,
  reason: Schema.Union([
    Incomplete,
    Uncountable,
    Vanished,
    DeadlinePassed,
    AllRefused,
    AllLost,
    MapFailed,
    EmptyMap,
    ScraperError,
    LedgerError,
    Ambiguous,
    OrphanedJobs,
    AnswerLost,
    RequestChanged
  ])
}) {
  override get message(): string {
    const { reason } = this
    switch (reason._tag) {
      case "Incomplete":
        return `job ${reason.jobId} counts ${reason.expected} pages and ${reason.delivered} could be read`
      case "Uncountable":
        return `job ${reason.jobId} holds ${reason.results} results that do not say which page they are or how it ended; they are kept as dead letters`
      case "Vanished":
        return `job ${reason.jobId} was known to the API and is not any more`
      case "DeadlinePassed":
        return `job ${reason.jobId} has not ended within ${Math.round(reason.afterMs / 1000)} s; it may still be running`
      case "AllRefused":
        return reason.urls === 1 ? reason.detail : `all ${reason.urls} URLs were refused; the last: ${reason.detail}`
      case "AllLost":
        return reason.urls === 1
          ? "the answer for the one URL was lost, and asking again could pay again"
          : `the answers for all ${reason.urls} URLs were lost, and asking again could pay again`
      case "MapFailed":
        return `the API could not map ${reason.url}: ${reason.detail}`
      case "EmptyMap":
        return `the map of ${reason.url} found no URL; if that may be, say "allow_empty: true" beside its url`
      default:
        return reason.message
    }
  }
}
