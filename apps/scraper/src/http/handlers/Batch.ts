import { type BatchRequest, Caller, JobId, ScraperApi, ValidationFailed } from "@sluice/contract"
import { Effect, Option } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Batches } from "../../batch/Batches.ts"
import type { BatchSpec } from "../../batch/BatchStrategy.ts"
import { batchConfigOf, batchResultOf, batchStatusOf, batchUrl } from "../../batch/batchDocuments.ts"
import type { FoundPage } from "../../crawler/PageState.ts"
import { pageOf, timesOf } from "../../jobs/Job.ts"
import { normalizeUrl } from "../../net/normalizeUrl.ts"
import { Proxies } from "../../net/Proxies.ts"
import { Renderer } from "../../rendering/Renderer.ts"
import { ApiKeys } from "../ApiKeys.ts"
import { invalidState, noSuchJob, unprocessable } from "../errorResponse.ts"
import { Quota } from "../Quota.ts"
import { renderable, routable } from "./checkRequest.ts"

/**
 * Batch endpoints. The caller's `headers` go to the targets.
 * A batch whose URLs are all invalid is refused: there is nothing to do.
 */
export const BatchHandlers = HttpApiBuilder.group(
  ScraperApi,
  "batch",
  Effect.fnUntraced(function* (handlers) {
    const apiKeys = yield* ApiKeys
    const batches = yield* Batches
    const quota = yield* Quota
    const renderer = yield* Renderer
    const proxies = yield* Proxies

    const find = Effect.fnUntraced(function* (id: string) {
      const { id: owner } = yield* Caller
      const job = batches.find(owner, id)
      return Option.isSome(job) ? job.value : yield* noSuchJob()
    })

    return handlers.handleAll({
      createBatch: Effect.fnUntraced(function* ({ payload }) {
        yield* renderable(renderer, payload)
        yield* routable(proxies, payload)
        const { id: owner } = yield* Caller
        const { maxBatchUrls } = apiKeys.limitsOf(owner)
        if (payload.urls.length > maxBatchUrls) {
          return yield* unprocessable(
            "VALIDATION_ERROR",
            `Batch size limit exceeded: requested ${payload.urls.length}, plan allows at most ${maxBatchUrls}`
          )
        }
        const { invalid, pages } = sorted(payload.urls)
        if (pages.length === 0 || (invalid.length > 0 && payload.ignore_invalid_urls === false)) {
          return yield* new ValidationFailed({
            detail: invalid.map(({ index }) => ({
              type: "value_error",
              loc: ["body", "urls", index],
              msg: "must be an absolute http or https URL without credentials"
            }))
          })
        }
        const invalidUrls = invalid.map(({ url }) => url)
        const create = batches.create(owner, specOf(payload), pages, invalidUrls)
        const job = yield* quota.withOne(owner, pages.length, Effect.orDie(create))
        return {
          job_id: JobId.make(job.id),
          status: job.status,
          status_url: batchUrl(job.id),
          accepted_urls: pages.length,
          invalid_urls: invalidUrls
        }
      }),
      listBatchJobs: Effect.fnUntraced(function* ({ query }) {
        const { id: owner } = yield* Caller
        const { rows, ...paging } = pageOf(batches.list(owner, query), query.page ?? 1, query.page_size ?? 10)
        const jobs = rows.map((job) => ({
          job_id: JobId.make(job.id),
          status: job.status,
          accepted_urls: job.counts.total,
          completed_urls: job.counts.completed,
          failed_urls: job.counts.failed,
          config: batchConfigOf(job),
          ...timesOf(job)
        }))
        return { jobs, ...paging }
      }),
      getBatch: Effect.fnUntraced(function* ({ params, query }) {
        const job = yield* find(params.job_id)
        const { refused, slots } = yield* Effect.orDie(batches.slice(job, query.page ?? 1, query.page_size ?? 10))
        return { ...batchStatusOf(job), invalid_urls: refused, results: slots.map(batchResultOf) }
      }),
      cancelBatch: Effect.fnUntraced(function* ({ params }) {
        const job = yield* find(params.job_id)
        if (job.status !== "queued" && job.status !== "processing") {
          return yield* invalidState(`Batch job ${job.id} is already ${job.status} and cannot be cancelled`)
        }
        const inFlight = yield* Effect.orDie(batches.cancel(job))
        return {
          job_id: params.job_id,
          status: "cancelled",
          status_url: batchUrl(job.id),
          in_flight_urls: inFlight
        } as const
      })
    })
  })
)

/** The URLs that can be fetched, as pages, and those that cannot, each with its place in the request. */
const sorted = (urls: ReadonlyArray<string>) => {
  const pages: Array<FoundPage> = []
  const invalid: Array<{ readonly url: string; readonly index: number }> = []
  for (const [index, url] of urls.entries()) {
    const normal = normalizeUrl(url.trim())
    if (Option.isSome(normal)) pages.push({ url: normal.value, parent: null, depth: 1, index })
    else invalid.push({ url, index })
  }
  return { pages, invalid }
}

const specOf = (request: BatchRequest): BatchSpec => ({
  formats: request.formats ?? ["markdown"],
  proxy: { country: null, type: "residential", ...request.proxy },
  headers: request.headers ?? null,
  waitConfig: request.wait_config ?? null,
  renderJs: request.render_js ?? false
})
