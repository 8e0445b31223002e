import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { NotFound, PaymentRequired, SearchBlocked, SearchFailed } from "./Errors.ts"
import { pageEnvelope } from "./Options.ts"
import { JobFilter, ListQuery10 } from "./Queries.ts"
import { Authorization, RequestValidation } from "./Security.ts"
import { JobId, JobIdParam, JobStatus, Timestamp } from "./Vocabulary.ts"

/** A web search. The accepted values of `time_range` are unpublished. */
export const SearchRequest = Schema.Struct({
  query: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(1000)),
  locale: Schema.optionalKey(Schema.String),
  page: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 })).annotate({ default: 1 })),
  safe: Schema.optionalKey(Schema.Literals(["off", "moderate", "strict"]).annotate({ default: "off" })),
  time_range: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "SearchRequest" })

/** One hit; `position` counts from 1. */
export const SearchResult = Schema.Struct({
  position: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  title: Schema.String,
  url: Schema.String,
  snippet: Schema.optionalKey(Schema.NullOr(Schema.String)),
  thumbnail: Schema.optionalKey(Schema.NullOr(Schema.String)),
  displayed_url: Schema.optionalKey(Schema.NullOr(Schema.String)),
  source_host: Schema.optionalKey(Schema.NullOr(Schema.String))
}).annotate({ identifier: "SearchResult" })

/** One page of hits. */
export const SearchResponse = Schema.Struct({
  job_id: JobId,
  query: Schema.String,
  page: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  attempts: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  results: Schema.Array(SearchResult),
  suggestions: Schema.Array(Schema.String),
  spelling_correction: Schema.optionalKey(Schema.NullOr(Schema.String))
}).annotate({ identifier: "SearchResponse" })

const summary = {
  job_id: JobId,
  query: Schema.String,
  status: JobStatus,
  results_count: Schema.NullOr(Schema.Int),
  duration_ms: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  block_reason: Schema.optionalKey(Schema.NullOr(Schema.String)),
  error_code: Schema.optionalKey(Schema.NullOr(Schema.String)),
  created_at: Timestamp,
  completed_at: Schema.NullOr(Timestamp)
}

/** A row of the search list. */
export const SearchJobSummary = Schema.Struct(summary).annotate({ identifier: "SearchJobSummary" })

/** A stored search; the exact members past the summary are unpublished, so all are optional. */
export const SearchJob = Schema.Struct({
  ...summary,
  page: Schema.optionalKey(Schema.Int),
  attempts: Schema.optionalKey(Schema.Int),
  results: Schema.optionalKey(Schema.NullOr(Schema.Array(SearchResult))),
  suggestions: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String))),
  spelling_correction: Schema.optionalKey(Schema.NullOr(Schema.String))
}).annotate({ identifier: "SearchJob" })

/** A page of searches. */
export const SearchJobList = Schema.Struct({ jobs: Schema.Array(SearchJobSummary), ...pageEnvelope }).annotate({
  identifier: "SearchJobList"
})

export class SearchApi extends HttpApiGroup.make("search")
  .add(
    HttpApiEndpoint.post("search", "/v1/search", {
      payload: SearchRequest,
      success: SearchResponse,
      error: [PaymentRequired, SearchFailed, SearchBlocked]
    }).annotate(OpenApi.Summary, "Search the web"),
    HttpApiEndpoint.get("listSearchJobs", "/v1/search/jobs", {
      query: { query: Schema.optionalKey(Schema.String), ...JobFilter, ...ListQuery10 },
      success: SearchJobList
    }).annotate(OpenApi.Summary, "List searches"),
    HttpApiEndpoint.get("getSearchJob", "/v1/search/:job_id", {
      params: { job_id: JobIdParam },
      success: SearchJob,
      error: NotFound
    }).annotate(OpenApi.Summary, "One stored search")
  )
  .middleware(RequestValidation)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Search", description: "Web search." })) {}
