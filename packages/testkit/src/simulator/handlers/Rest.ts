import { ScraperApi } from "@sluice/contract"
import { Clock, Effect, Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { notOffered } from "../answers.ts"
import { timestamp } from "./documents.ts"
import { StatisticsHandlers } from "./Statistics.ts"

/** The health endpoint and the statistics; what the simulator does not play answers 501. */
export const RestHandlers = Layer.mergeAll(
  StatisticsHandlers,
  HttpApiBuilder.group(ScraperApi, "system", (handlers) =>
    handlers.handleAll({
      getHealth: () =>
        Effect.map(Clock.currentTimeMillis, (now) => ({
          version: "simulator",
          service: "scraper-api",
          timestamp: timestamp(now),
          status: "ok" as const
        }))
    })
  ),
  HttpApiBuilder.group(ScraperApi, "search", (handlers) =>
    handlers.handleAll({ search: () => notOffered, listSearchJobs: () => notOffered, getSearchJob: () => notOffered })
  ),
  HttpApiBuilder.group(ScraperApi, "webhooks", (handlers) =>
    handlers.handleAll({
      createWebhook: () => notOffered,
      listWebhooks: () => notOffered,
      getWebhook: () => notOffered,
      updateWebhook: () => notOffered,
      deleteWebhook: () => notOffered,
      rotateWebhookSecret: () => notOffered,
      listWebhookDeliveries: () => notOffered
    })
  )
)
