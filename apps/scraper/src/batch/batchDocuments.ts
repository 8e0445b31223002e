import { type BatchResult, BatchStatus, JobId } from "@sluice/contract"
import { Effect, Schema, Struct } from "effect"
import type { PageJobView, PageSlot } from "../crawler/PageJob.ts"
import { timesOf } from "../jobs/Job.ts"
import type { BatchSpec } from "./BatchStrategy.ts"

/** The address of a batch's status. */
export const batchUrl = (id: string) => `/v1/batch/${id}`

/** What a batch was asked to do. */
export const batchConfigOf = ({ spec }: PageJobView<BatchSpec>) => ({
  render_js: spec.renderJs,
  formats: spec.formats,
  proxy: spec.proxy,
  headers: spec.headers,
  wait_config: spec.waitConfig
})

/** A batch's status without its results and the URLs that were refused. */
export const batchStatusOf = (job: PageJobView<BatchSpec>) => ({
  job_id: JobId.make(job.id),
  status: job.status,
  batch_config: batchConfigOf(job),
  token_summary: { tokens_charged_total: job.counts.completed, tokens_reserved: job.openPages },
  total_urls: job.counts.total,
  completed_urls: job.counts.completed,
  failed_urls: job.counts.failed,
  cancelled_urls: job.counts.cancelled,
  pending_urls: job.openPages,
  ...timesOf(job)
})

const encode = Schema.encodeEffect(Schema.Struct(Struct.omit(BatchStatus.fields, ["results", "invalid_urls"])))

/** What receivers of webhooks are told. The caller's headers are for the targets and go to nobody else. */
export const batchEventData = (job: PageJobView<BatchSpec>) => {
  const { batch_config, ...status } = batchStatusOf(job)
  return Effect.orDie(encode({ ...status, batch_config: Struct.omit(batch_config, ["headers"]) }))
}

/** A page of a batch. `links` is null, as in an extraction that did not ask for them: a batch cannot ask. */
export const batchResultOf = ({ page, row }: PageSlot): BatchResult => ({
  input_index: page.index ?? 0,
  url: page.url,
  status: page.status,
  error_code: row?.error_code ?? null,
  error_message: row?.error_message ?? null,
  data: row?.data == null ? null : { ...row.data, links: null },
  ...(row === undefined ? {} : { metadata: row.metadata })
})
