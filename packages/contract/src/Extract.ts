import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { BadRequest, NotFound, PaymentRequired, Unprocessable } from "./Errors.ts"
import { HeaderMap, ProxyConfig, pageEnvelope, WaitConfig } from "./Options.ts"
import { JobFilter, ListQuery100 } from "./Queries.ts"
import { Authorization, RequestValidation } from "./Security.ts"
import { Count, JobId, JobStatus, OutputFormat, ProcessingMode, Timestamp } from "./Vocabulary.ts"

/** One URL to extract. The default of `formats` is disputed between sources: always send it. */
export const ExtractRequest = Schema.Struct({
  url: Schema.String,
  formats: Schema.optionalKey(Schema.Array(OutputFormat)),
  render_js: Schema.optionalKey(Schema.Boolean.annotate({ default: false })),
  processing_mode: Schema.optionalKey(Schema.Literals(ProcessingMode.literals).annotate({ default: "sync" })),
  extract_links: Schema.optionalKey(Schema.Boolean.annotate({ default: false })),
  proxy: Schema.optionalKey(ProxyConfig),
  headers: Schema.optionalKey(HeaderMap),
  wait_config: Schema.optionalKey(Schema.NullOr(WaitConfig))
}).annotate({ identifier: "ExtractRequest" })
export type ExtractRequest = typeof ExtractRequest.Type

/** An extraction accepted for polling. `status_url` may be relative to the base URL. */
export const ExtractAccepted = Schema.Struct({
  job_id: JobId,
  status: JobStatus,
  status_url: Schema.String,
  estimated_tokens: Count
}).annotate({ identifier: "ExtractAccepted" })

/** A page's content. A format that was not asked for is null; so are `links` unless they were asked for. */
export const ExtractData = Schema.Struct({
  markdown: Schema.NullOr(Schema.String),
  html: Schema.NullOr(Schema.String),
  links: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String)))
}).annotate({ identifier: "ExtractData" })

/** How a page was fetched. `url` need not equal the requested string. */
export const ExtractMetadata = Schema.Struct({
  url: Schema.String,
  render_js: Schema.optionalKey(Schema.Boolean),
  http_status: Schema.NullOr(Schema.Int),
  duration_ms: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  retry_count: Schema.optionalKey(Count),
  formats: Schema.optionalKey(Schema.Array(OutputFormat)),
  processing_mode: Schema.optionalKey(ProcessingMode),
  proxy: Schema.optionalKey(Schema.NullOr(ProxyConfig)),
  headers: Schema.optionalKey(HeaderMap),
  wait_config: Schema.optionalKey(Schema.NullOr(WaitConfig))
}).annotate({ identifier: "ExtractMetadata" })

/** Why a job failed. The list of codes is open. */
export const JobError = Schema.Struct({
  code: Schema.String,
  message: Schema.String,
  retryable: Schema.optionalKey(Schema.Boolean),
  details: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.String)))
}).annotate({ identifier: "JobError" })

/** The answer of a synchronous extraction; it carries no job id. */
export const ExtractSyncResponse = Schema.Struct({
  data: ExtractData,
  metadata: ExtractMetadata,
  tokens_charged: Count
}).annotate({ identifier: "ExtractSyncResponse" })

/** The state of an asynchronous extraction; `data`, `metadata` and `tokens_charged` are null until it is done. */
export const ExtractJob = Schema.Struct({
  job_id: JobId,
  status: JobStatus,
  created_at: Timestamp,
  completed_at: Schema.NullOr(Timestamp),
  data: Schema.NullOr(ExtractData),
  metadata: Schema.NullOr(ExtractMetadata),
  error: Schema.NullOr(JobError),
  tokens_charged: Schema.NullOr(Count)
}).annotate({ identifier: "ExtractJob" })
export type ExtractJob = typeof ExtractJob.Type

/** A row of the extraction job list; `execution_time` is in milliseconds. */
export const ExtractJobSummary = Schema.Struct({
  job_id: JobId,
  status: JobStatus,
  url: Schema.String,
  created_at: Timestamp,
  execution_time: Schema.NullOr(Schema.Int),
  output: Schema.Array(OutputFormat)
}).annotate({ identifier: "ExtractJobSummary" })

/** A page of extraction jobs. */
export const ExtractJobList = Schema.Struct({ jobs: Schema.Array(ExtractJobSummary), ...pageEnvelope }).annotate({
  identifier: "ExtractJobList"
})

export class ExtractApi extends HttpApiGroup.make("extract")
  .add(
    HttpApiEndpoint.post("createExtraction", "/v1/extract", {
      payload: ExtractRequest,
      success: [ExtractSyncResponse, ExtractAccepted.pipe(HttpApiSchema.status(202))],
      error: [BadRequest, PaymentRequired, Unprocessable]
    }).annotate(OpenApi.Summary, "Extract one URL: sync answers 200, async answers 202"),
    HttpApiEndpoint.get("listExtractionJobs", "/v1/extract/jobs", {
      query: {
        job_id: Schema.optionalKey(Schema.String),
        url: Schema.optionalKey(Schema.String),
        ...JobFilter,
        output: Schema.optionalKey(OutputFormat),
        ...ListQuery100
      },
      success: ExtractJobList
    }).annotate(OpenApi.Summary, "List extraction jobs"),
    HttpApiEndpoint.get("getExtractionJob", "/v1/extract/:job_id", {
      params: { job_id: JobId },
      success: ExtractJob,
      error: NotFound
    }).annotate(OpenApi.Summary, "Poll one asynchronous extraction")
  )
  .middleware(RequestValidation)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Extraction", description: "One URL, at once or as a job." })) {}
