import { createHash, timingSafeEqual } from "node:crypto"
import { Authorization, Caller } from "@sluice/contract"
import { Clock, Effect, Layer, Redacted } from "effect"
import { tooMany, unauthorized } from "./Envelope.ts"
import { ServerSettings } from "./ScraperConfig.ts"

const minuteMs = 60_000

const digest = (key: Redacted.Redacted<string>) => createHash("sha256").update(Redacted.value(key)).digest()

/**
 * Checks the key and the key's request rate. Keys are kept as SHA-256 hashes; a given key is compared with all of them in
 * constant time. A caller's id is the start of its key's hash, so jobs stay with their key over restarts.
 */
export const AuthorizationLayer: Layer.Layer<Authorization, never, ServerSettings> = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const settings = yield* ServerSettings
    const callers = settings.apiKeys.map((key) => {
      const hash = digest(key)
      return { hash, id: hash.toString("hex").slice(0, 32), window: { startedAt: 0, requests: 0 } }
    })

    return Authorization.of({
      ApiKeyAuth: Effect.fn("Authorization.ApiKeyAuth")(function* (httpEffect, { credential }) {
        const given = digest(credential)
        // No early exit: how long this takes does not depend on which key fits.
        const caller = callers.reduce<(typeof callers)[number] | undefined>(
          (found, candidate) => (timingSafeEqual(candidate.hash, given) ? candidate : found),
          undefined
        )
        if (caller === undefined) return yield* unauthorized()
        const { window } = caller
        const now = yield* Clock.currentTimeMillis
        if (now - window.startedAt >= minuteMs) {
          window.startedAt = now
          window.requests = 0
        }
        if (settings.requestsPerMinute > 0 && ++window.requests > settings.requestsPerMinute) {
          const seconds = Math.max(1, Math.ceil((window.startedAt + minuteMs - now) / 1000))
          return yield* tooMany("Too many requests", seconds)
        }
        return yield* Effect.provideService(httpEffect, Caller, { id: caller.id })
      })
    })
  })
)
