import type { JobId } from "@sluice/contract"
import { Effect } from "effect"
import { CurrentRequestCounter } from "../api/RequestCounter.ts"
import { type RetryPolicy, retryBy } from "../api/RetryPolicy.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { ApiFailed, LedgerFailed, SourceError, Undecided } from "./SourceError.ts"
import { CurrentSubmissionLog, type SubmissionRequest } from "./SubmissionLog.ts"

/** How often and how long a submission is made again that the API throttles. */
const throttled: RetryPolicy = { first: 500, longest: 30_000, within: 90_000, times: 10 }

/** The only way paid work is asked for: through the journal in force. */
export const submitJob = Effect.fnUntraced(function* <Body>(
  request: SubmissionRequest<Body>,
  post: (body: Body) => Effect.Effect<{ readonly jobId: JobId }, ScraperError>
): Effect.fn.Return<JobId | undefined, SourceError> {
  const submissionLog = yield* CurrentSubmissionLog
  const fail = (reason: SourceError["reason"]) => new SourceError({ source: request.kind, reason })
  return yield* submissionLog
    .submit(request, (body) => waitOutThrottling(post(body)))
    .pipe(
      Effect.mapError((error) => {
        switch (error._tag) {
          case "ScraperError":
            return fail(new ApiFailed({ error }))
          case "LedgerError":
            return fail(new LedgerFailed({ error }))
          case "Ambiguous":
            return fail(new Undecided({ error }))
          case "AnswerLost":
          case "RequestChanged":
            return fail(error)
        }
      })
    )
})

/** A throttled submission was refused for certain, so making it again pays once at most. Nothing else is made again. */
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
