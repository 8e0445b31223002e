import type { JobId } from "@sluice/contract"
import { Effect, Random } from "effect"
import { CurrentRequestCounter } from "../api/RequestCounter.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { CurrentJournal, type SubmissionRequest } from "./Journal.ts"
import { ApiFailed, LedgerFailed, SourceError, Undecided } from "./SourceError.ts"

/** How often a submission the API throttles is made again, and the first and longest pause in between, in milliseconds. */
const throttled = { attempts: 10, first: 500, longest: 60_000 }

/** The only way paid work is asked for: through the journal in force. */
export const submitJob = Effect.fnUntraced(function* <Body>(
  request: SubmissionRequest<Body>,
  post: (body: Body) => Effect.Effect<{ readonly jobId: JobId }, ScraperError>
): Effect.fn.Return<JobId | undefined, SourceError> {
  const journal = yield* CurrentJournal
  const fail = (reason: SourceError["reason"]) => new SourceError({ source: request.kind, reason })
  return yield* journal
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
const waitOutThrottling = <A>(post: Effect.Effect<A, ScraperError>): Effect.Effect<A, ScraperError> => {
  const attempt = (made: number): Effect.Effect<A, ScraperError> =>
    Effect.catch(post, (error) =>
      error.reason._tag !== "RateLimited" || made >= throttled.attempts
        ? Effect.fail(error)
        : Effect.gen(function* () {
            const counter = yield* CurrentRequestCounter
            const jitter = yield* Random.nextBetween(0.5, 1)
            const pause = Math.max(error.retryAfterMs ?? 0, throttled.first * 2 ** made * jitter)
            if (pause > throttled.longest) return yield* error
            yield* Effect.sleep(pause)
            counter.submitted--
            counter.retries++
            return yield* attempt(made + 1)
          })
    )
  return attempt(0)
}
