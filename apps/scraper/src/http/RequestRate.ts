import { Context, Duration, Effect, Layer } from "effect"
import { RateLimiter } from "effect/persistence"

/** Counts the requests of each key. The only module that uses Effect's rate limiter, which is unstable. */
export class RequestRate extends Context.Service<
  RequestRate,
  {
    /** Counts a request. Returns how many seconds to wait if it is one too many for this minute, else 0. */
    readonly secondsToWait: (key: string, requestsPerMinute: number) => Effect.Effect<number>
  }
>()("@sluice/scraper/http/RequestRate") {
  static readonly layer: Layer.Layer<RequestRate> = Layer.effect(
    this,
    Effect.map(RateLimiter.RateLimiter, (limiter) =>
      RequestRate.of({
        secondsToWait: (key, requestsPerMinute) =>
          limiter.consume({ key, limit: requestsPerMinute, window: "1 minute" }).pipe(
            Effect.as(0),
            Effect.catchReason("RateLimiterError", "RateLimitExceeded", ({ retryAfter }) =>
              Effect.succeed(Math.max(1, Math.ceil(Duration.toSeconds(retryAfter))))
            ),
            // The counts are in memory: the store cannot fail.
            Effect.orDie
          )
      })
    )
  ).pipe(Layer.provide(RateLimiter.layer), Layer.provide(RateLimiter.layerStoreMemory))
}
