import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { BadRequest, MapTimedOut, NotFound, PaymentRequired, Unprocessable } from "./Errors.ts"
import { pageEnvelope } from "./Options.ts"
import { JobFilter, ListQuery10 } from "./Queries.ts"
import { Authorization, RequestValidation } from "./Security.ts"
import { JobId, JobIdParam, JobStatus, LinkSource, Timestamp } from "./Vocabulary.ts"

/** A site whose URLs to discover. `search` keeps URLs that contain it, whatever the case. */
export const MapRequest = Schema.Struct({
  url: Schema.String,
  search: Schema.optionalKey(Schema.NullOr(Schema.String).annotate({ default: null })),
  include_subdomains: Schema.optionalKey(Schema.Boolean.annotate({ default: true })),
  ignore_query_parameters: Schema.optionalKey(Schema.Boolean.annotate({ default: true }))
}).annotate({ identifier: "MapRequest" })
export type MapRequest = typeof MapRequest.Type

/** A discovered URL and where it was found. */
export const MapLink = Schema.Struct({ url: Schema.String, source: LinkSource }).annotate({ identifier: "MapLink" })

/** The URLs of a site; none at all can be a success, with a `warning`. */
export const MapResponse = Schema.Struct({
  success: Schema.Boolean,
  links: Schema.Array(MapLink),
  warning: Schema.optionalKey(Schema.NullOr(Schema.String)),
  metadata: Schema.optionalKey(
    Schema.Struct({
      url: Schema.optionalKey(Schema.String),
      duration_ms: Schema.optionalKey(Schema.Int),
      links_count: Schema.optionalKey(Schema.Int)
    })
  )
}).annotate({ identifier: "MapResponse" })
export type MapResponse = typeof MapResponse.Type

const summary = {
  job_id: JobId,
  url: Schema.String,
  status: JobStatus,
  links_count: Schema.NullOr(Schema.Int),
  duration_ms: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  search: Schema.optionalKey(Schema.NullOr(Schema.String)),
  error_code: Schema.optionalKey(Schema.NullOr(Schema.String)),
  created_at: Timestamp,
  completed_at: Schema.NullOr(Timestamp)
}

/** A row of the map list. */
export const MapJobSummary = Schema.Struct(summary).annotate({ identifier: "MapJobSummary" })

/** A stored map call with its links. */
export const MapJob = Schema.Struct({
  ...summary,
  tokens_charged: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  include_subdomains: Schema.optionalKey(Schema.Boolean),
  ignore_query_parameters: Schema.optionalKey(Schema.Boolean),
  error_message: Schema.optionalKey(Schema.NullOr(Schema.String)),
  links: Schema.optionalKey(Schema.NullOr(Schema.Array(MapLink)))
}).annotate({ identifier: "MapJob" })

/** A page of map calls. */
export const MapJobList = Schema.Struct({ jobs: Schema.Array(MapJobSummary), ...pageEnvelope }).annotate({
  identifier: "MapJobList"
})

export class MapApi extends HttpApiGroup.make("map")
  .add(
    HttpApiEndpoint.post("mapUrls", "/v1/map", {
      payload: MapRequest,
      success: MapResponse,
      error: [BadRequest, PaymentRequired, MapTimedOut, Unprocessable]
    }).annotate(OpenApi.Summary, "Discover the URLs of a site"),
    HttpApiEndpoint.get("listMapJobs", "/v1/map/jobs", {
      query: { ...JobFilter, ...ListQuery10 },
      success: MapJobList
    }).annotate(OpenApi.Summary, "List map calls"),
    HttpApiEndpoint.get("getMapJob", "/v1/map/:job_id", {
      params: { job_id: JobIdParam },
      success: MapJob,
      error: NotFound
    }).annotate(OpenApi.Summary, "One map call with its links")
  )
  .middleware(RequestValidation)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Map", description: "The URLs of a site, without their content." })) {}
