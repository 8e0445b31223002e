import { Cause, Duration, Effect, Random, Schedule } from "effect"

/** How often and how long something that failed is tried again. All times in milliseconds. */
export interface RetryPolicy {
  /** The first pause. Each further one is twice as long, with jitter, */
  readonly first: number
  /** and at most this long. A `Retry-After` is waited for beyond it. */
  readonly longest: number
  /** How long after the first failure it may still be tried. The last attempt is made when that time is over. */
  readonly within: number
  /** Attempts beyond the first, where they are counted as well. */
  readonly times?: number
}

/** A pause between two attempts. */
export interface RetryPause<E> {
  readonly error: E
  readonly pauseMs: number
  /** How long it has failed so far, and how much longer it may. */
  readonly failingMs: number
  readonly leftMs: number
}

/** What decides whether a failure is retried, and by which policy. */
export interface RetryRules<E> {
  /** The policy for a failure; none where it is final. A failure of another policy restarts the count, */
  readonly policyOf: (error: E) => RetryPolicy | undefined
  /** so this bounds them all together, from the first failure on. */
  readonly within?: number
  /** How long the other side asked to be left alone. An attempt that would come too late is not made. */
  readonly retryAfterOf?: (error: E) => number | null
  readonly onPause?: (pause: RetryPause<E>) => Effect.Effect<void>
}

/** The schedule of {@link RetryRules}: the one place where pauses grow, end, and give way to `Retry-After`. */
const retrySchedule = <E>(rules: RetryRules<E>): Schedule.Schedule<number, E> =>
  Schedule.fromStepWithMetadata(
    Effect.sync(() => {
      const { onPause, policyOf, retryAfterOf, within = Number.POSITIVE_INFINITY } = rules
      let current: RetryPolicy | undefined
      let since = 0
      let made = 0
      return ({ input, now, start }: Schedule.InputMetadata<E>) =>
        Effect.gen(function* () {
          const policy = policyOf(input)
          if (policy === undefined) return yield* Cause.done(0)
          if (policy !== current) {
            current = policy
            since = now
            made = 0
          }
          const leftMs = Math.min(since + policy.within, start + within) - now
          if (leftMs <= 0 || ++made > (policy.times ?? Number.POSITIVE_INFINITY)) return yield* Cause.done(0)
          const asked = retryAfterOf?.(input) ?? 0
          if (asked >= leftMs) return yield* Cause.done(0)
          const jitter = yield* Random.nextBetween(0.5, 1)
          const grown = Math.min(policy.longest, policy.first * 2 ** (made - 1)) * jitter
          // Whole milliseconds: what is left may be the billionth of one, again and again.
          const pauseMs = Math.ceil(Math.max(asked, Math.min(grown, leftMs)))
          if (onPause !== undefined) yield* onPause({ error: input, pauseMs, failingMs: now - start, leftMs })
          return [pauseMs, Duration.millis(pauseMs)] as [number, Duration.Duration]
        })
    })
  )

/** Tries again by {@link RetryRules}; fails as the last attempt did. */
export const retryBy = <A, E, R>(attempt: Effect.Effect<A, E, R>, rules: RetryRules<E>): Effect.Effect<A, E, R> =>
  Effect.retry(attempt, retrySchedule(rules))
