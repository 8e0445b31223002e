import { timingSafeEqual } from "node:crypto"
import { Authorization, Caller } from "@sluice/contract"
import { Effect, Layer } from "effect"
import { refusedFor } from "../metrics/Metrics.ts"
import { ApiKeys, digestOf } from "./ApiKeys.ts"
import { tooMany, unauthorized } from "./errorResponse.ts"
import { RequestRate } from "./RequestRate.ts"

/**
 * Checks the key and the key's request rate. Keys are kept as SHA-256 hashes; a given key is compared with all of them in
 * constant time.
 */
export const AuthorizationLayer: Layer.Layer<Authorization, never, ApiKeys | RequestRate> = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const { keys } = yield* ApiKeys
    const { secondsToWait } = yield* RequestRate

    return Authorization.of({
      ApiKeyAuth: Effect.fn("Authorization.ApiKeyAuth")(function* (httpEffect, { credential }) {
        const given = digestOf(credential)
        // No early exit: how long this takes does not depend on which key fits.
        const caller = keys.reduce<(typeof keys)[number] | undefined>(
          (found, candidate) => (timingSafeEqual(candidate.hash, given) ? candidate : found),
          undefined
        )
        if (caller === undefined) {
          yield* refusedFor("key")
          return yield* unauthorized()
        }
        const { requestsPerMinute } = caller.limits
        const seconds = requestsPerMinute > 0 ? yield* secondsToWait(caller.id, requestsPerMinute) : 0
        if (seconds > 0) {
          yield* refusedFor("requests_per_minute")
          return yield* tooMany("Too many requests", seconds)
        }
        return yield* Effect.provideService(httpEffect, Caller, { id: caller.id })
      })
    })
  })
)
