import { Context, Deferred, Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { ServerSettings } from "../ScraperConfig.ts"
import { errorResponse } from "./errorResponse.ts"

/** Whether the server is on its way out, and how long what is being answered may still take. */
export class Lifecycle extends Context.Service<
  Lifecycle,
  {
    readonly isDraining: () => boolean
    /** From here on no further request is taken; those being answered have `drainTimeoutMs`. */
    readonly drain: Effect.Effect<void>
    /** Ends when that time is over. */
    readonly overdue: Effect.Effect<void>
  }
>()("@sluice/scraper/http/Lifecycle") {
  static readonly layer: Layer.Layer<Lifecycle, never, ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const { drainTimeoutMs } = yield* ServerSettings
      const overdue = yield* Deferred.make<void>()
      // A timer that outlived the server would keep its process alive.
      const scope = yield* Effect.scope
      let isDraining = false
      return Lifecycle.of({
        isDraining: () => isDraining,
        overdue: Deferred.await(overdue),
        drain: Effect.suspend(() => {
          isDraining = true
          return Effect.sleep(drainTimeoutMs).pipe(
            Effect.andThen(Deferred.succeed(overdue, undefined)),
            Effect.forkIn(scope)
          )
        })
      })
    })
  )
}

/**
 * Refuses what comes over a connection that is kept while the server drains, and what is not answered in time. The health of
 * the server is told until the end.
 */
export const Draining = HttpRouter.middleware(
  Effect.gen(function* () {
    const { isDraining, overdue } = yield* Lifecycle
    const tooLate = Effect.map(overdue, () => refusal())
    return (httpEffect) =>
      Effect.gen(function* () {
        const { url } = yield* HttpServerRequest.HttpServerRequest
        if (isDraining() && url !== "/health") return refusal()
        return yield* Effect.raceFirst(httpEffect, tooLate)
      }).pipe(
        // A connection that is kept would hold up the end.
        Effect.map((response) =>
          isDraining() ? HttpServerResponse.setHeader(response, "connection", "close") : response
        )
      )
  }),
  { global: true }
)

const refusal = () => errorResponse(503, "UNAVAILABLE", "The server is shutting down", true)
