import { Schema, SchemaTransformation } from "effect"

/** The life of a job: `queued`, `processing`, then one of the three terminal states, which never change. */
export const JobStatus = Schema.Literals(["queued", "processing", "completed", "failed", "cancelled"]).annotate({
  identifier: "JobStatus"
})
export type JobStatus = typeof JobStatus.Type

/** Whether a job or an item can still change. */
export const isTerminal = (status: JobStatus): status is "completed" | "failed" | "cancelled" =>
  status !== "queued" && status !== "processing"

/** What a page is returned as. */
export const OutputFormat = Schema.Literals(["markdown", "html"]).annotate({ identifier: "OutputFormat" })
export type OutputFormat = typeof OutputFormat.Type

/** `sync` answers with the page, `async` with a job to poll. */
export const ProcessingMode = Schema.Literals(["sync", "async"]).annotate({ identifier: "ProcessingMode" })
export type ProcessingMode = typeof ProcessingMode.Type

/** The pool a request leaves from. */
export const ProxyType = Schema.Literals(["residential", "datacenter", "mix"]).annotate({ identifier: "ProxyType" })
export type ProxyType = typeof ProxyType.Type

/** Where `map` found a URL. */
export const LinkSource = Schema.Literals(["sitemap", "html"]).annotate({ identifier: "LinkSource" })

/** What a webhook subscription can be told of. */
export const WebhookEvent = Schema.Literals(["extract_completed", "batch_completed", "crawl_completed"]).annotate({
  identifier: "WebhookEvent"
})

/** The state of one webhook delivery attempt. */
export const DeliveryStatus = Schema.Literals(["pending", "success", "failed", "abandoned"]).annotate({
  identifier: "DeliveryStatus"
})

/** The state of the service as `GET /health` tells it. */
export const HealthStatus = Schema.Literals(["ok", "degraded", "unavailable"]).annotate({ identifier: "HealthStatus" })

/** A job's id. Every sample is a UUID, but one reference page types it as a plain string, so reading takes any string. */
export const JobId = Schema.String.pipe(Schema.brand("JobId"))
export type JobId = typeof JobId.Type

/** A job id in the path of crawl, batch, map and search calls, where the contract asks for a UUID. */
export const JobIdParam = Schema.String.check(Schema.isUUID()).pipe(Schema.brand("JobId"))

/** A webhook subscription's id. */
export const WebhookId = Schema.String.check(Schema.isUUID()).pipe(Schema.brand("WebhookId"))
export type WebhookId = typeof WebhookId.Type

/** An RFC 3339 instant with any number of fraction digits; kept to the millisecond. */
export const Timestamp = Schema.String.annotate({ format: "date-time" }).pipe(
  Schema.decodeTo(Schema.DateTimeUtc, SchemaTransformation.dateTimeUtcFromString)
)

/** A whole number of at least 0. */
export const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
