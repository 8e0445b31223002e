import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Conflict, NotFound, PaymentRequired, Unprocessable } from "./Errors.ts"
import { ItemMetadata, ProxyConfig, pageEnvelope, TokenSummary, WaitConfig } from "./Options.ts"
import { JobFilter, ListQuery10, SliceQuery } from "./Queries.ts"
import { Authorization, RequestValidation } from "./Security.ts"
import { Count, JobId, JobIdParam, JobStatus, OutputFormat, Timestamp } from "./Vocabulary.ts"

/** A site to crawl, breadth first. `depth` 1 is the seed page alone; a plan may allow less than 10. */
export const CrawlRequest = Schema.Struct({
  url: Schema.String,
  depth: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10 })).annotate({ default: 2 })),
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))),
  formats: Schema.optionalKey(Schema.Array(OutputFormat)),
  render_js: Schema.optionalKey(Schema.Boolean.annotate({ default: false })),
  same_domain_only: Schema.optionalKey(Schema.Boolean),
  include_subdomains: Schema.optionalKey(Schema.Boolean),
  proxy: Schema.optionalKey(ProxyConfig),
  wait_config: Schema.optionalKey(Schema.NullOr(WaitConfig))
}).annotate({ identifier: "CrawlRequest" })
export type CrawlRequest = typeof CrawlRequest.Type

/** A crawl accepted for polling. */
export const CrawlAccepted = Schema.Struct({
  job_id: JobId,
  url: Schema.optionalKey(Schema.String),
  status: JobStatus,
  status_url: Schema.String,
  estimated_pages: Schema.optionalKey(Count)
}).annotate({ identifier: "CrawlAccepted" })

/** What a crawl was asked to do, as the server echoes it. */
export const CrawlConfig = Schema.Struct({
  render_js: Schema.optionalKey(Schema.Boolean),
  formats: Schema.optionalKey(Schema.Array(OutputFormat)),
  same_domain_only: Schema.optionalKey(Schema.Boolean),
  include_subdomains: Schema.optionalKey(Schema.Boolean),
  proxy: Schema.optionalKey(Schema.NullOr(ProxyConfig)),
  wait_config: Schema.optionalKey(Schema.NullOr(WaitConfig))
}).annotate({ identifier: "CrawlConfig" })

/** A page's content; its links stand beside it, not inside. */
export const CrawlData = Schema.Struct({
  markdown: Schema.NullOr(Schema.String),
  html: Schema.NullOr(Schema.String)
}).annotate({ identifier: "CrawlData" })

/** One page of a crawl. A failed page has `error_code` and `error_message` instead of `data`. The seed's depth is 1. */
export const CrawlResult = Schema.Struct({
  url: Schema.String,
  parent_url: Schema.NullOr(Schema.String),
  depth: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  status: JobStatus,
  error_code: Schema.NullOr(Schema.String),
  error_message: Schema.NullOr(Schema.String),
  links: Schema.NullOr(Schema.Array(Schema.String)),
  data: Schema.optionalKey(Schema.NullOr(CrawlData)),
  metadata: Schema.optionalKey(Schema.NullOr(ItemMetadata))
}).annotate({ identifier: "CrawlResult" })
export type CrawlResult = typeof CrawlResult.Type

/**
 * A crawl's counters and the slice of results that was asked for. `total_pages` is how many pages have been discovered
 * so far: it grows, and says nothing about how many slices there are.
 */
export const CrawlStatus = Schema.Struct({
  job_id: JobId,
  url: Schema.String,
  status: JobStatus,
  crawl_config: Schema.optionalKey(CrawlConfig),
  total_pages: Count,
  completed_pages: Count,
  failed_pages: Count,
  cancelled_pages: Count,
  created_at: Timestamp,
  completed_at: Schema.NullOr(Timestamp),
  token_summary: TokenSummary,
  results: Schema.Array(CrawlResult)
}).annotate({ identifier: "CrawlStatus" })
export type CrawlStatus = typeof CrawlStatus.Type

/** A {@link CrawlStatus} as a client takes it: its results as they came, to be decoded one by one. */
export const CrawlAnswer = Schema.Struct({ ...CrawlStatus.fields, results: Schema.Array(Schema.Unknown) })
export type CrawlAnswer = typeof CrawlAnswer.Type

/** A cancellation taken on; no new page is scheduled, pages in work still drain. */
export const CrawlCancelled = Schema.Struct({
  job_id: JobId,
  status: JobStatus,
  status_url: Schema.String,
  in_flight_pages: Count
}).annotate({ identifier: "CrawlCancelled" })

/** A row of the crawl list. */
export const CrawlJobSummary = Schema.Struct({
  job_id: JobId,
  url: Schema.String,
  status: JobStatus,
  total_pages: Count,
  completed_pages: Count,
  failed_pages: Count,
  config: CrawlConfig,
  created_at: Timestamp,
  completed_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "CrawlJobSummary" })

/** A page of crawls. */
export const CrawlJobList = Schema.Struct({ jobs: Schema.Array(CrawlJobSummary), ...pageEnvelope }).annotate({
  identifier: "CrawlJobList"
})

export class CrawlApi extends HttpApiGroup.make("crawl")
  .add(
    HttpApiEndpoint.post("createCrawl", "/v1/crawl", {
      payload: CrawlRequest,
      success: CrawlAccepted.pipe(HttpApiSchema.status(202)),
      error: [PaymentRequired, Unprocessable]
    }).annotate(OpenApi.Summary, "Start a crawl"),
    HttpApiEndpoint.get("listCrawlJobs", "/v1/crawl/jobs", {
      query: { ...JobFilter, ...ListQuery10 },
      success: CrawlJobList
    }).annotate(OpenApi.Summary, "List crawls"),
    HttpApiEndpoint.get("getCrawl", "/v1/crawl/:job_id", {
      params: { job_id: JobIdParam },
      query: SliceQuery,
      success: CrawlStatus,
      error: NotFound
    }).annotate(OpenApi.Summary, "Poll a crawl and read one slice of its results"),
    HttpApiEndpoint.delete("cancelCrawl", "/v1/crawl/:job_id", {
      params: { job_id: JobIdParam },
      success: CrawlCancelled.pipe(HttpApiSchema.status(202)),
      error: [NotFound, Conflict]
    }).annotate(OpenApi.Summary, "Cancel a queued or processing crawl")
  )
  .middleware(RequestValidation)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Crawl", description: "A site, breadth first from a seed URL." })) {}
