import { ScraperApi, Unhealthy } from "@sluice/contract"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { nowMillis, timestamp } from "../../jobs/Job.ts"
import { version } from "../../ScraperConfig.ts"
import { Health } from "../Health.ts"

/** The health endpoint: 503 while the server cannot take requests, with the same body. */
export const HealthHandlers = HttpApiBuilder.group(
  ScraperApi,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const health = yield* Health
    return handlers.handleAll({
      getHealth: Effect.fnUntraced(function* () {
        const status = yield* health.status
        const body = { version, service: "scraper-api", timestamp: timestamp(yield* nowMillis), status }
        return status === "unavailable" ? yield* new Unhealthy(body) : body
      })
    })
  })
)
