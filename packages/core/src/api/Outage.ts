import { Clock, Duration, Effect } from "effect"
import { inWords } from "./inWords.ts"
import { CurrentRequestCounter } from "./RequestCounter.ts"
import { type RetryPolicy, retryBy } from "./RetryPolicy.ts"
import { ScraperError } from "./ScraperError.ts"

/** How long reads of an API wait for it. */
export interface OutageOptions {
  readonly giveUpAfter: Duration.Input
  readonly insistFor: Duration.Input
  readonly retries?: number
  readonly retryBase: Duration.Input
  readonly retryCap: Duration.Input
}

/** An outage is told of once in so long, whatever the number of reads that wait. */
const sayEvery = 60_000
/** What passes sooner is not worth a line. */
const sayAfter = 1_000
/** A failure that waiting does not cure is retried with pauses of at most this, so that it is seen several times. */
const longestInsisting = 15_000

/** Waits out the outages of one API: how long and how often a read is made again, and what is said meanwhile. */
export const makeOutage = (options: OutageOptions) => {
  const giveUpAfter = Duration.toMillis(options.giveUpAfter)
  const first = Duration.toMillis(options.retryBase)
  const longest = Duration.toMillis(options.retryCap)
  const counted = options.retries === undefined ? {} : { times: options.retries }
  const waiting: RetryPolicy = { first, longest, within: giveUpAfter, ...counted }
  const insisting: RetryPolicy = {
    first,
    longest: Math.min(longest, longestInsisting),
    within: Math.min(giveUpAfter, Duration.toMillis(options.insistFor)),
    ...counted
  }
  let saidAt = Number.NEGATIVE_INFINITY

  const say = Effect.fnUntraced(function* (error: ScraperError, leftMs: number) {
    const now = yield* Clock.currentTimeMillis
    if (now - saidAt < sayEvery) return
    saidAt = now
    yield* Effect.logWarning(`${error.message}; it is asked again for up to ${inWords(leftMs)} more`)
  })

  return {
    /** Makes a read, again while it may help. What `isFinal` names is no outage: that is for the caller to judge. */
    waitOut: Effect.fnUntraced(function* <A>(
      read: Effect.Effect<A, ScraperError>,
      isFinal: (error: ScraperError) => boolean
    ): Effect.fn.Return<A, ScraperError> {
      const counter = yield* CurrentRequestCounter
      counter.reads++
      let failedFor = 0
      return yield* retryBy(read, {
        within: giveUpAfter,
        retryAfterOf: (error) => error.retryAfterMs,
        policyOf: (error) => {
          if (isFinal(error)) return undefined
          return error.isRetryable ? waiting : insisting
        },
        onPause: ({ error, failingMs, leftMs, pauseMs }) => {
          counter.retries++
          failedFor = failingMs + pauseMs
          return failedFor < sayAfter ? Effect.void : say(error, leftMs)
        }
      }).pipe(
        Effect.mapError((error) =>
          failedFor < sayAfter ? error : new ScraperError({ ...error, failedForMs: failedFor })
        )
      )
    })
  }
}
