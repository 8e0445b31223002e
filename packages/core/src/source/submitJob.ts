import type { JobId } from "@sluice/contract"
import { Effect } from "effect"
import { CurrentRequestCounter } from "../api/RequestCounter.ts"
import { type RetryPolicy, retryBy } from "../api/RetryPolicy.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { SourceError } from "./SourceError.ts"
import { CurrentSubmissionLog, type SubmissionRequest } from "./SubmissionLog.ts"

/** How often and how long a throttled submission is repeated. */
const throttled: RetryPolicy = { first: 500, longest: 30_000, within: 90_000, times: 10 }

/** Submits paid work through the current submission log. Nothing else does. */
export const submitJob = Effect.fnUntraced(function* <Body>(
  request: SubmissionRequest<Body>,
  post: (body: Body) => Effect.Effect<{ readonly jobId: JobId }, ScraperError>
): Effect.fn.Return<JobId | undefined, SourceError> {
  const submissionLog = yield* CurrentSubmissionLog
  return yield* submissionLog
    .submit(request, (body) => waitOutThrottling(post(body)))
    .pipe(Effect.mapError((reason) => new SourceError({ source: request.kind, reason })))
})

/** A throttled submission was certainly refused, so repeating it pays at most once. Nothing else is repeated. */
const waitOutThrottling = <A>(post: Effect.Effect<A, ScraperError>): Effect.Effect<A, ScraperError> =>
  Effect.flatMap(CurrentRequestCounter, (counter) =>
    retryBy(post, {
      policyOf: ({ reason }) => (reason._tag === "RateLimited" ? throttled : undefined),
      retryAfterOf: (error) => error.retryAfterMs,
      onPause: () =>
        Effect.sync(() => {
          counter.submitted--
          counter.retries++
        })
    })
  )
