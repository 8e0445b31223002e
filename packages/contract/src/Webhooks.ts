import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { NotFound, Unprocessable } from "./Errors.ts"
import { pageEnvelope } from "./Options.ts"
import { ListQuery100 } from "./Queries.ts"
import { Authorization, RequestValidation } from "./Security.ts"
import { DeliveryStatus, JobId, Timestamp, WebhookEvent, WebhookId } from "./Vocabulary.ts"

const target = Schema.String.check(Schema.isMinLength(1)).annotate({ format: "uri" })

/** A subscription to make: one URL, one event type. */
export const WebhookCreateRequest = Schema.Struct({
  url: target,
  event_type: WebhookEvent,
  description: Schema.optionalKey(Schema.NullOr(Schema.String))
}).annotate({ identifier: "WebhookCreateRequest" })

/** What to change of a subscription. Whether null clears a member or leaves it is not documented. */
export const WebhookUpdateRequest = Schema.Struct({
  url: Schema.optionalKey(Schema.NullOr(Schema.String.annotate({ format: "uri" }))),
  description: Schema.optionalKey(Schema.NullOr(Schema.String)),
  is_active: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
  event_type: Schema.optionalKey(Schema.NullOr(WebhookEvent))
}).annotate({ identifier: "WebhookUpdateRequest" })

const webhook = {
  id: WebhookId,
  url: Schema.String,
  description: Schema.NullOr(Schema.String),
  is_active: Schema.Boolean,
  event_type: WebhookEvent,
  created_at: Timestamp,
  updated_at: Timestamp
}

/** A subscription, without its secret. */
export const Webhook = Schema.Struct(webhook).annotate({ identifier: "Webhook" })

/** The signing secret after a rotation. */
export const WebhookSecret = Schema.Struct({ secret: Schema.String }).annotate({ identifier: "WebhookSecret" })

/** A subscription just made: the only answer besides a rotation that carries the secret. */
export const WebhookCreated = Schema.Struct({ ...webhook, secret: Schema.String }).annotate({
  identifier: "WebhookCreated"
})

/** A page of subscriptions. */
export const WebhookList = Schema.Struct({ items: Schema.Array(Webhook), ...pageEnvelope }).annotate({
  identifier: "WebhookList"
})

/** One delivery attempt; the first has number 1. */
export const WebhookDelivery = Schema.Struct({
  id: Schema.String,
  event_type: WebhookEvent,
  job_id: Schema.optionalKey(Schema.NullOr(JobId)),
  attempt_number: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  status: DeliveryStatus,
  http_status: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  delivered_at: Schema.optionalKey(Schema.NullOr(Timestamp)),
  created_at: Timestamp
}).annotate({ identifier: "WebhookDelivery" })

/** A page of delivery attempts. */
export const WebhookDeliveryList = Schema.Struct({ items: Schema.Array(WebhookDelivery), ...pageEnvelope }).annotate({
  identifier: "WebhookDeliveryList"
})

/** What the service posts to a subscription. `data` of `extract_completed` is the job's body; the others are unpublished. */
export const WebhookEnvelope = Schema.Struct({
  event: WebhookEvent,
  webhook_id: WebhookId,
  delivery_id: Schema.String,
  timestamp: Timestamp,
  data: Schema.Record(Schema.String, Schema.Unknown)
}).annotate({ identifier: "WebhookEnvelope" })

export class WebhooksApi extends HttpApiGroup.make("webhooks")
  .add(
    HttpApiEndpoint.get("listWebhooks", "/v1/webhooks", { query: ListQuery100, success: WebhookList }).annotate(
      OpenApi.Summary,
      "List subscriptions, without secrets"
    ),
    HttpApiEndpoint.post("createWebhook", "/v1/webhooks", {
      payload: WebhookCreateRequest,
      success: WebhookCreated.pipe(HttpApiSchema.status(201)),
      error: Unprocessable
    }).annotate(OpenApi.Summary, "Subscribe; the answer carries the secret"),
    HttpApiEndpoint.get("getWebhook", "/v1/webhooks/:webhook_id", {
      params: { webhook_id: WebhookId },
      success: Webhook,
      error: NotFound
    }).annotate(OpenApi.Summary, "One subscription, without its secret"),
    HttpApiEndpoint.patch("updateWebhook", "/v1/webhooks/:webhook_id", {
      params: { webhook_id: WebhookId },
      payload: WebhookUpdateRequest,
      success: Webhook,
      error: [NotFound, Unprocessable]
    }).annotate(OpenApi.Summary, "Change a subscription"),
    HttpApiEndpoint.delete("deleteWebhook", "/v1/webhooks/:webhook_id", {
      params: { webhook_id: WebhookId },
      success: HttpApiSchema.NoContent,
      error: NotFound
    }).annotate(OpenApi.Summary, "Remove a subscription"),
    HttpApiEndpoint.post("rotateWebhookSecret", "/v1/webhooks/:webhook_id/rotate-secret", {
      params: { webhook_id: WebhookId },
      success: WebhookSecret,
      error: NotFound
    }).annotate(OpenApi.Summary, "Replace the signing secret at once"),
    HttpApiEndpoint.get("listWebhookDeliveries", "/v1/webhooks/:webhook_id/deliveries", {
      params: { webhook_id: WebhookId },
      query: { ...ListQuery100, status: Schema.optionalKey(DeliveryStatus) },
      success: WebhookDeliveryList,
      error: NotFound
    }).annotate(OpenApi.Summary, "List the delivery attempts of a subscription")
  )
  .middleware(RequestValidation)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Webhooks", description: "Subscriptions to finished jobs." })) {}
