import type { JobId } from "@sluice/contract"
import { Duration, Effect } from "effect"
import { type RetryPolicy, retryBy } from "../api/RetryPolicy.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { Vanished } from "./SourceError.ts"

/** The longest pause between two questions about a job that is not known, in milliseconds. */
const longestPause = 30_000

/**
 * Asks about a job, and asks again while the API does not know it: a job store may answer late, or lose sight of a job for a
 * moment. One that stays unknown over the settle time has vanished.
 */
export const untilKnown = <A>(
  ask: Effect.Effect<A, ScraperError>,
  jobId: JobId,
  options: { readonly pollMin: Duration.Input; readonly settleTime: Duration.Input }
): Effect.Effect<A, ScraperError | Vanished> => {
  const first = Duration.toMillis(options.pollMin)
  const unknown: RetryPolicy = { first, longest: longestPause, within: Duration.toMillis(options.settleTime) }
  const isUnknown = ({ reason }: ScraperError) => reason._tag === "NotFound"
  return retryBy(ask, { policyOf: (error) => (isUnknown(error) ? unknown : undefined) }).pipe(
    Effect.mapError((error) => (isUnknown(error) ? new Vanished({ jobId }) : error))
  )
}
