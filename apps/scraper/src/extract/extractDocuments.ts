import { ExtractJob as ExtractJobDocument, JobId } from "@sluice/contract"
import { Effect, Option, Schema, Struct } from "effect"
import type { PageContent } from "../conversion/PageContent.ts"
import { timesOf } from "../jobs/Job.ts"
import type { ExtractJob } from "./ExtractJob.ts"
import type { ExtractFacts, ExtractSpec } from "./Extractor.ts"

/** The content of a page, as far as it was asked for. */
export const extractDataOf = (content: PageContent, spec: ExtractSpec) => ({
  markdown: content.markdown,
  html: content.html,
  links: spec.extractLinks ? content.links : null
})

/** How a page was fetched. */
export const extractMetadataOf = (facts: ExtractFacts, spec: ExtractSpec) => ({
  url: facts.url,
  render_js: spec.renderJs,
  http_status: facts.httpStatus,
  duration_ms: facts.durationMs,
  retry_count: facts.retryCount,
  formats: spec.formats,
  processing_mode: spec.mode,
  proxy: spec.proxy,
  headers: spec.headers,
  wait_config: spec.waitConfig
})

/** An extraction job, with its content if it has any. */
export const extractJobOf = (job: ExtractJob, content: Option.Option<PageContent>) => ({
  job_id: JobId.make(job.id),
  status: job.status,
  ...timesOf(job),
  data: Option.isSome(content) ? extractDataOf(content.value, job.spec) : null,
  metadata: job.facts === null ? null : extractMetadataOf(job.facts, job.spec),
  error: job.error,
  tokens_charged: job.completedAt === null ? null : job.status === "completed" ? 1 : 0
})

const encode = Schema.encodeEffect(ExtractJobDocument)

/** What receivers of webhooks are told. The caller's headers are for the target and go to nobody else. */
export const extractEventData = (job: ExtractJob, content: Option.Option<PageContent>) => {
  const { metadata, ...rest } = extractJobOf(job, content)
  return Effect.orDie(encode({ ...rest, metadata: metadata === null ? null : Struct.omit(metadata, ["headers"]) }))
}
