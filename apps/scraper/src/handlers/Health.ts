import { ScraperApi } from "@sluice/contract"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { nowMillis, timestamp } from "../Job.ts"
import { version } from "../ScraperConfig.ts"

/** The health endpoint. A server that answers is well: it has no other service to lose. */
export const HealthHandlers = HttpApiBuilder.group(ScraperApi, "system", (handlers) =>
  handlers.handleAll({
    getHealth: () =>
      Effect.map(nowMillis, (now) => ({
        version,
        service: "scraper-api",
        timestamp: timestamp(now),
        status: "ok" as const
      }))
  })
)
