import { Caller, JobId, ScraperApi, type Unprocessable, WebhookId } from "@sluice/contract"
import { Effect, Option } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { pageOf, timestamp } from "../../jobs/Job.ts"
import { isBlockedLiteral } from "../../net/AddressGuard.ts"
import { ServerSettings } from "../../ScraperConfig.ts"
import type { Delivery, Subscription } from "../../webhooks/WebhookStore.ts"
import { Webhooks } from "../../webhooks/Webhooks.ts"
import { noSuchWebhook, unprocessable } from "../errorResponse.ts"
import { targetUrl } from "./checkRequest.ts"

/**
 * Webhook endpoints. The secret is in the answers of making and rotating alone. In an update null clears the description
 * and leaves everything else as it is.
 */
export const WebhookHandlers = HttpApiBuilder.group(
  ScraperApi,
  "webhooks",
  Effect.fnUntraced(function* (handlers) {
    const settings = yield* ServerSettings
    const webhooks = yield* Webhooks

    const find = Effect.fnUntraced(function* (id: string) {
      const { id: owner } = yield* Caller
      const webhook = webhooks.find(owner, id)
      return Option.isSome(webhook) ? webhook.value : yield* noSuchWebhook()
    })

    /** The URL as it was given. Names are judged where they are connected to; an address can be told now. */
    const receiverUrl = Effect.fnUntraced(function* (url: string): Effect.fn.Return<string, Unprocessable> {
      const { hostname } = new URL(yield* targetUrl(url))
      if (!settings.allowPrivateTargets && isBlockedLiteral(hostname)) {
        return yield* unprocessable("BLOCKED_TARGET", "url is at an address that is not public")
      }
      return url.trim()
    })

    return handlers.handleAll({
      createWebhook: Effect.fnUntraced(function* ({ payload }) {
        const url = yield* receiverUrl(payload.url)
        const { id: owner } = yield* Caller
        const wish = { url, description: payload.description ?? null, event: payload.event_type }
        const webhook = yield* Effect.orDie(webhooks.create(owner, wish))
        if (Option.isNone(webhook)) {
          return yield* unprocessable(
            "VALIDATION_ERROR",
            `Webhook limit reached: plan allows at most ${settings.maxWebhooksPerKey}`
          )
        }
        return { ...webhookOf(webhook.value), secret: webhook.value.secret }
      }),
      listWebhooks: Effect.fnUntraced(function* ({ query }) {
        const { id: owner } = yield* Caller
        const { rows, ...paging } = pageOf(webhooks.list(owner), query.page ?? 1, query.page_size ?? 100)
        return { items: rows.map(webhookOf), ...paging }
      }),
      getWebhook: ({ params }) => Effect.map(find(params.webhook_id), webhookOf),
      updateWebhook: Effect.fnUntraced(function* ({ params, payload }) {
        const webhook = yield* find(params.webhook_id)
        const url = payload.url == null ? undefined : yield* receiverUrl(payload.url)
        const updated = yield* Effect.orDie(
          webhooks.update(webhook, {
            ...(url === undefined ? {} : { url }),
            ...(payload.description === undefined ? {} : { description: payload.description }),
            ...(payload.is_active == null ? {} : { isActive: payload.is_active }),
            ...(payload.event_type == null ? {} : { event: payload.event_type })
          })
        )
        return Option.isSome(updated) ? webhookOf(updated.value) : yield* noSuchWebhook()
      }),
      deleteWebhook: Effect.fnUntraced(function* ({ params }) {
        yield* Effect.orDie(webhooks.remove(yield* find(params.webhook_id)))
      }),
      rotateWebhookSecret: Effect.fnUntraced(function* ({ params }) {
        const rotated = yield* Effect.orDie(webhooks.rotate(yield* find(params.webhook_id)))
        return Option.isSome(rotated) ? { secret: rotated.value.secret } : yield* noSuchWebhook()
      }),
      listWebhookDeliveries: Effect.fnUntraced(function* ({ params, query }) {
        const chosen = webhooks
          .deliveries(yield* find(params.webhook_id))
          .filter(({ status }) => query.status === undefined || status === query.status)
        const { rows, ...paging } = pageOf(chosen, query.page ?? 1, query.page_size ?? 100)
        return { items: rows.map(deliveryOf), ...paging }
      })
    })
  })
)

const webhookOf = (webhook: Subscription) => ({
  id: WebhookId.make(webhook.id),
  url: webhook.url,
  description: webhook.description,
  is_active: webhook.isActive,
  event_type: webhook.event,
  created_at: timestamp(webhook.createdAt),
  updated_at: timestamp(webhook.updatedAt)
})

/** A delivery is a row of its own, which tells of its last attempt. */
const deliveryOf = (delivery: Delivery) => ({
  id: delivery.id,
  event_type: delivery.event,
  job_id: JobId.make(delivery.jobId),
  attempt_number: Math.max(1, delivery.attempts),
  status: delivery.status,
  http_status: delivery.httpStatus,
  delivered_at: delivery.deliveredAt === null ? null : timestamp(delivery.deliveredAt),
  created_at: timestamp(delivery.createdAt)
})
