import { Caller, JobId, ScraperApi } from "@sluice/contract"
import { Effect, Option } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { noSuchJob, refused } from "../Envelope.ts"
import { type ExtractJob, ExtractJobs } from "../ExtractJobs.ts"
import { type ExtractFacts, Extractor, type ExtractSpec, extractSpec } from "../Extractor.ts"
import { pageOf, timesOf, timestamp } from "../Job.ts"
import { Meter } from "../Meter.ts"
import type { PageContent } from "../PageContent.ts"
import { Quota } from "../Quota.ts"
import { targetUrl, withoutRendering } from "./Requests.ts"

/**
 * Extraction endpoints. A synchronous extraction that fails is a 422 envelope under the page's error code. The caller's
 * `headers` go to the target; `proxy` and `wait_config` are echoed and otherwise ignored.
 */
export const ExtractHandlers = HttpApiBuilder.group(
  ScraperApi,
  "extract",
  Effect.fnUntraced(function* (handlers) {
    const extractor = yield* Extractor
    const jobs = yield* ExtractJobs
    const meter = yield* Meter
    const quota = yield* Quota

    return handlers.handleAll({
      createExtraction: Effect.fnUntraced(function* ({ payload }) {
        yield* withoutRendering(payload.render_js)
        const spec = extractSpec(payload, yield* targetUrl(payload.url))
        const { id: owner } = yield* Caller
        if (spec.mode === "async") {
          const job = yield* quota.withOne(owner, 1, Effect.orDie(jobs.create(owner, spec)))
          return {
            job_id: JobId.make(job.id),
            status: job.status,
            status_url: `/v1/extract/${job.id}`,
            estimated_tokens: 1
          }
        }
        const extract = Effect.tap(extractor.extract(spec), ({ _tag, facts: { durationMs } }) =>
          Effect.orDie(meter.record({ owner, job: null, ok: _tag === "Extracted", durationMs }))
        )
        const extraction = yield* quota.withOne(owner, 1, extract)
        if (extraction._tag === "Failed") {
          const { code, message, retryable } = extraction.failure
          return yield* refused(code, message, retryable)
        }
        return {
          data: dataOf(extraction.content, spec),
          metadata: metadataOf(extraction.facts, spec),
          tokens_charged: 1
        }
      }),
      listExtractionJobs: Effect.fnUntraced(function* ({ query }) {
        const { id: owner } = yield* Caller
        const chosen = jobs
          .list(owner, query)
          .filter(
            (job) =>
              (query.job_id === undefined || job.id === query.job_id) &&
              (query.url === undefined || job.spec.url.includes(query.url)) &&
              (query.output === undefined || job.spec.formats.includes(query.output))
          )
        const { rows, ...envelope } = pageOf(chosen, query.page ?? 1, query.page_size ?? 100)
        return {
          jobs: rows.map((job) => ({
            job_id: JobId.make(job.id),
            status: job.status,
            url: job.spec.url,
            created_at: timestamp(job.createdAt),
            execution_time: job.facts?.durationMs ?? null,
            output: job.spec.formats
          })),
          ...envelope
        }
      }),
      getExtractionJob: Effect.fnUntraced(function* ({ params }) {
        const { id: owner } = yield* Caller
        const job = jobs.find(owner, params.job_id)
        if (Option.isNone(job)) return yield* noSuchJob()
        return yield* statusOf(jobs, job.value)
      })
    })
  })
)

const statusOf = Effect.fnUntraced(function* (jobs: ExtractJobs["Service"], job: ExtractJob) {
  const done = job.status === "completed"
  const content = done ? yield* Effect.orDie(jobs.content(job)) : Option.none()
  return {
    job_id: JobId.make(job.id),
    status: job.status,
    ...timesOf(job),
    data: Option.isSome(content) ? dataOf(content.value, job.spec) : null,
    metadata: job.facts === null ? null : metadataOf(job.facts, job.spec),
    error: job.error,
    tokens_charged: job.completedAt === null ? null : done ? 1 : 0
  }
})

const dataOf = (content: PageContent, spec: ExtractSpec) => ({
  markdown: content.markdown,
  html: content.html,
  links: spec.extractLinks ? content.links : null
})

const metadataOf = (facts: ExtractFacts, spec: ExtractSpec) => ({
  url: facts.url,
  render_js: false,
  http_status: facts.httpStatus,
  duration_ms: facts.durationMs,
  retry_count: facts.retryCount,
  formats: spec.formats,
  processing_mode: spec.mode,
  proxy: spec.proxy,
  headers: spec.headers,
  wait_config: spec.waitConfig
})
