import { ScraperApi } from "@sluice/contract"
import { Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { notOffered } from "../Envelope.ts"

const search = () => notOffered("web search")
const webhooks = () => notOffered("webhooks")

/** The endpoints of the contract that this server answers with 501. */
export const NotOfferedHandlers = Layer.mergeAll(
  HttpApiBuilder.group(ScraperApi, "search", (handlers) =>
    handlers.handleAll({ search, listSearchJobs: search, getSearchJob: search })
  ),
  HttpApiBuilder.group(ScraperApi, "webhooks", (handlers) =>
    handlers.handleAll({
      createWebhook: webhooks,
      listWebhooks: webhooks,
      getWebhook: webhooks,
      updateWebhook: webhooks,
      deleteWebhook: webhooks,
      rotateWebhookSecret: webhooks,
      listWebhookDeliveries: webhooks
    })
  )
)
