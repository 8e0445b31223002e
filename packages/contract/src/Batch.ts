import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Conflict, NotFound, PaymentRequired, Unprocessable } from "./Errors.ts"
import { ExtractData } from "./Extract.ts"
import { HeaderMap, ItemMetadata, ProxyConfig, pageEnvelope, TokenSummary, WaitConfig } from "./Options.ts"
import { JobFilter, ListQuery10, SliceQuery } from "./Queries.ts"
import { Authorization, RequestValidation } from "./Security.ts"
import { Count, JobId, JobIdParam, JobStatus, OutputFormat, Timestamp } from "./Vocabulary.ts"

/** 1 to 1,000 URLs to extract in one job; a plan may allow fewer. Duplicates are kept and processed one by one. */
export const BatchRequest = Schema.Struct({
  urls: Schema.Array(Schema.String).check(Schema.isMinLength(1), Schema.isMaxLength(1000)),
  ignore_invalid_urls: Schema.optionalKey(Schema.Boolean.annotate({ default: true })),
  formats: Schema.optionalKey(Schema.Array(OutputFormat).annotate({ default: ["markdown"] })),
  render_js: Schema.optionalKey(Schema.Boolean.annotate({ default: false })),
  proxy: Schema.optionalKey(ProxyConfig),
  headers: Schema.optionalKey(HeaderMap),
  wait_config: Schema.optionalKey(Schema.NullOr(WaitConfig))
}).annotate({ identifier: "BatchRequest" })
export type BatchRequest = typeof BatchRequest.Type

/** URLs that were refused. No sample shows the item type; strings are assumed. */
export const InvalidUrls = Schema.Array(Schema.String).annotate({ identifier: "InvalidUrls" })

/** A batch accepted for polling. */
export const BatchAccepted = Schema.Struct({
  job_id: JobId,
  status: JobStatus,
  status_url: Schema.String,
  accepted_urls: Count,
  invalid_urls: InvalidUrls
}).annotate({ identifier: "BatchAccepted" })

/** What a batch was asked to do, as the server echoes it. */
export const BatchConfig = Schema.Struct({
  render_js: Schema.optionalKey(Schema.Boolean),
  formats: Schema.optionalKey(Schema.Array(OutputFormat)),
  proxy: Schema.optionalKey(Schema.NullOr(ProxyConfig)),
  headers: Schema.optionalKey(HeaderMap),
  wait_config: Schema.optionalKey(Schema.NullOr(WaitConfig))
}).annotate({ identifier: "BatchConfig" })

/** One URL of a batch; `input_index` is its 0-based place in the request. */
export const BatchResult = Schema.Struct({
  input_index: Count,
  url: Schema.String,
  status: JobStatus,
  error_code: Schema.optionalKey(Schema.NullOr(Schema.String)),
  error_message: Schema.optionalKey(Schema.NullOr(Schema.String)),
  data: Schema.optionalKey(Schema.NullOr(ExtractData)),
  metadata: Schema.optionalKey(Schema.NullOr(ItemMetadata))
}).annotate({ identifier: "BatchResult" })
export type BatchResult = typeof BatchResult.Type

/** A batch's counters and the slice of results that was asked for. */
export const BatchStatus = Schema.Struct({
  job_id: JobId,
  status: JobStatus,
  batch_config: Schema.optionalKey(BatchConfig),
  token_summary: TokenSummary,
  total_urls: Count,
  completed_urls: Count,
  failed_urls: Count,
  cancelled_urls: Count,
  pending_urls: Count,
  invalid_urls: Schema.optionalKey(InvalidUrls),
  created_at: Timestamp,
  completed_at: Schema.NullOr(Timestamp),
  results: Schema.Array(BatchResult)
}).annotate({ identifier: "BatchStatus" })
export type BatchStatus = typeof BatchStatus.Type

/** A {@link BatchStatus} as a client takes it: its results as they came, to be decoded one by one. */
export const BatchAnswer = Schema.Struct({ ...BatchStatus.fields, results: Schema.Array(Schema.Unknown) })
export type BatchAnswer = typeof BatchAnswer.Type

/** A cancellation taken on; URLs already in work still drain. */
export const BatchCancelled = Schema.Struct({
  job_id: JobId,
  status: JobStatus,
  status_url: Schema.String,
  in_flight_urls: Count
}).annotate({ identifier: "BatchCancelled" })

/** A row of the batch list. */
export const BatchJobSummary = Schema.Struct({
  job_id: JobId,
  status: JobStatus,
  accepted_urls: Count,
  completed_urls: Count,
  failed_urls: Count,
  config: BatchConfig,
  created_at: Timestamp,
  completed_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "BatchJobSummary" })

/** A page of batches. */
export const BatchJobList = Schema.Struct({ jobs: Schema.Array(BatchJobSummary), ...pageEnvelope }).annotate({
  identifier: "BatchJobList"
})

export class BatchApi extends HttpApiGroup.make("batch")
  .add(
    HttpApiEndpoint.post("createBatch", "/v1/batch", {
      payload: BatchRequest,
      success: BatchAccepted.pipe(HttpApiSchema.status(202)),
      error: [PaymentRequired, Unprocessable]
    }).annotate(OpenApi.Summary, "Start a batch"),
    HttpApiEndpoint.get("listBatchJobs", "/v1/batch/jobs", {
      query: { ...JobFilter, ...ListQuery10 },
      success: BatchJobList
    }).annotate(OpenApi.Summary, "List batches"),
    HttpApiEndpoint.get("getBatch", "/v1/batch/:job_id", {
      params: { job_id: JobIdParam },
      query: SliceQuery,
      success: BatchStatus,
      error: NotFound
    }).annotate(OpenApi.Summary, "Poll a batch and read one slice of its results"),
    HttpApiEndpoint.delete("cancelBatch", "/v1/batch/:job_id", {
      params: { job_id: JobIdParam },
      success: BatchCancelled.pipe(HttpApiSchema.status(202)),
      error: [NotFound, Conflict]
    }).annotate(OpenApi.Summary, "Cancel a queued or processing batch")
  )
  .middleware(RequestValidation)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Batch", description: "Many known URLs in one job." })) {}
