import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { HealthStatus, Timestamp } from "./Vocabulary.ts"

/** What the service says of itself; the same body with 200 and 503. */
export const Health = Schema.Struct({
  version: Schema.String,
  service: Schema.String,
  timestamp: Timestamp,
  status: HealthStatus
}).annotate({ identifier: "Health" })

/** The service cannot take requests. */
export class Unhealthy extends Schema.Error<Unhealthy>("Unhealthy")(Health, { httpApiStatus: 503 }) {}

export class HealthApi extends HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("getHealth", "/health", {
      success: Health.pipe(HttpApiSchema.status(200)),
      error: Unhealthy
    }).annotate(OpenApi.Summary, "How the service is; needs no key")
  )
  .annotateMerge(OpenApi.annotations({ title: "System", description: "Liveness." })) {}
