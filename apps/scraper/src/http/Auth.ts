import { timingSafeEqual } from "node:crypto"
import { Authorization, Caller } from "@sluice/contract"
import { Clock, Effect, Layer } from "effect"
import { refusedFor } from "../metrics/Metrics.ts"
import { ApiKeys, digestOf } from "./ApiKeys.ts"
import { tooMany, unauthorized } from "./errorResponse.ts"

const minuteMs = 60_000

/**
 * Checks the key and the key's request rate. Keys are kept as SHA-256 hashes; a given key is compared with all of them in
 * constant time.
 */
export const AuthorizationLayer: Layer.Layer<Authorization, never, ApiKeys> = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const { keys } = yield* ApiKeys
    const callers = keys.map((key) => ({ ...key, window: { startedAt: 0, requests: 0 } }))

    return Authorization.of({
      ApiKeyAuth: Effect.fn("Authorization.ApiKeyAuth")(function* (httpEffect, { credential }) {
        const given = digestOf(credential)
        // No early exit: how long this takes does not depend on which key fits.
        const caller = callers.reduce<(typeof callers)[number] | undefined>(
          (found, candidate) => (timingSafeEqual(candidate.hash, given) ? candidate : found),
          undefined
        )
        if (caller === undefined) {
          yield* refusedFor("key")
          return yield* unauthorized()
        }
        const { limits, window } = caller
        const now = yield* Clock.currentTimeMillis
        if (now - window.startedAt >= minuteMs) {
          window.startedAt = now
          window.requests = 0
        }
        if (limits.requestsPerMinute > 0 && ++window.requests > limits.requestsPerMinute) {
          const seconds = Math.max(1, Math.ceil((window.startedAt + minuteMs - now) / 1000))
          yield* refusedFor("requests_per_minute")
          return yield* tooMany("Too many requests", seconds)
        }
        return yield* Effect.provideService(httpEffect, Caller, { id: caller.id })
      })
    })
  })
)
