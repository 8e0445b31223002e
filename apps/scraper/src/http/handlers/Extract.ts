import { Caller, JobId, ScraperApi } from "@sluice/contract"
import { Effect, Option } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { ExtractJobs } from "../../extract/ExtractJobs.ts"
import { Extractor, extractSpec } from "../../extract/Extractor.ts"
import { extractDataOf, extractJobOf, extractMetadataOf } from "../../extract/extractDocuments.ts"
import { pageOf, timestamp } from "../../jobs/Job.ts"
import { UsageRecorder } from "../../jobs/UsageRecorder.ts"
import { Proxies } from "../../net/Proxies.ts"
import { Renderer } from "../../rendering/Renderer.ts"
import { noSuchJob, unprocessable } from "../errorResponse.ts"
import { Quota } from "../Quota.ts"
import { renderable, routable, targetUrl } from "./checkRequest.ts"

/**
 * Extraction endpoints. A synchronous extraction that fails is a 422 envelope under the page's error code. The caller's
 * `headers` go to the target; `proxy` is echoed and otherwise ignored.
 */
export const ExtractHandlers = HttpApiBuilder.group(
  ScraperApi,
  "extract",
  Effect.fnUntraced(function* (handlers) {
    const extractor = yield* Extractor
    const jobs = yield* ExtractJobs
    const usage = yield* UsageRecorder
    const quota = yield* Quota
    const renderer = yield* Renderer
    const proxies = yield* Proxies

    return handlers.handleAll({
      createExtraction: Effect.fnUntraced(function* ({ payload }) {
        yield* renderable(renderer, payload)
        yield* routable(proxies, payload)
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
        const extract = Effect.tap(extractor.extract(spec), (extraction) => {
          const errorCode = extraction._tag === "Extracted" ? null : extraction.failure.code
          return Effect.orDie(usage.record({ owner, job: null, errorCode, durationMs: extraction.facts.durationMs }))
        })
        const extraction = yield* quota.withOne(owner, 1, extract)
        if (extraction._tag === "Failed") {
          const { code, message, retryable } = extraction.failure
          return yield* unprocessable(code, message, retryable)
        }
        return {
          data: extractDataOf(extraction.content, spec),
          metadata: extractMetadataOf(extraction.facts, spec),
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
        const { rows, ...paging } = pageOf(chosen, query.page ?? 1, query.page_size ?? 100)
        return {
          jobs: rows.map((job) => ({
            job_id: JobId.make(job.id),
            status: job.status,
            url: job.spec.url,
            created_at: timestamp(job.createdAt),
            execution_time: job.facts?.durationMs ?? null,
            output: job.spec.formats
          })),
          ...paging
        }
      }),
      getExtractionJob: Effect.fnUntraced(function* ({ params }) {
        const { id: owner } = yield* Caller
        const job = jobs.find(owner, params.job_id)
        if (Option.isNone(job)) return yield* noSuchJob()
        return extractJobOf(job.value, yield* Effect.orDie(jobs.content(job.value)))
      })
    })
  })
)
