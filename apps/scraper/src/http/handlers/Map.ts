import { Caller, JobId, type MapJobSummary, MapTimedOut, ScraperApi } from "@sluice/contract"
import { Effect, Option } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type MapJob, Maps } from "../../crawl/Maps.ts"
import { pageOf, timesOf } from "../../jobs/Job.ts"
import { errorBody, noSuchJob, unprocessable } from "../errorResponse.ts"
import { Quota } from "../Quota.ts"
import { targetUrl } from "./checkRequest.ts"

/** Map endpoints. A site of which nothing could be read is a 422 envelope under the page's error code. */
export const MapHandlers = HttpApiBuilder.group(
  ScraperApi,
  "map",
  Effect.fnUntraced(function* (handlers) {
    const maps = yield* Maps
    const quota = yield* Quota

    return handlers.handleAll({
      mapUrls: Effect.fnUntraced(function* ({ payload }) {
        const url = yield* targetUrl(payload.url)
        const { id: owner } = yield* Caller
        const run = maps.run(owner, {
          url,
          search: payload.search ?? null,
          includeSubdomains: payload.include_subdomains ?? true,
          ignoreQueryParameters: payload.ignore_query_parameters ?? true
        })
        const { job, links, warnings } = yield* quota.withOne(owner, 0, run).pipe(
          Effect.catchTags({
            MapTimeout: ({ code, message }) => Effect.fail(new MapTimedOut(errorBody(code, message, true))),
            PageFailure: ({ code, message, retryable }) => Effect.fail(unprocessable(code, message, retryable)),
            StoreError: Effect.die
          })
        )
        return {
          success: true,
          links,
          warning: warnings.length === 0 ? null : warnings.join("; "),
          metadata: { url, duration_ms: job.durationMs, links_count: links.length }
        }
      }),
      listMapJobs: Effect.fnUntraced(function* ({ query }) {
        const { id: owner } = yield* Caller
        const { rows, ...paging } = pageOf(maps.list(owner, query), query.page ?? 1, query.page_size ?? 10)
        return { jobs: rows.map(summaryOf), ...paging }
      }),
      getMapJob: Effect.fnUntraced(function* ({ params }) {
        const { id: owner } = yield* Caller
        const job = maps.find(owner, params.job_id)
        if (Option.isNone(job)) return yield* noSuchJob()
        const { spec } = job.value
        const links = job.value.status === "completed" ? yield* Effect.orDie(maps.links(job.value)) : Option.none()
        return {
          ...summaryOf(job.value),
          tokens_charged: 0,
          include_subdomains: spec.includeSubdomains,
          ignore_query_parameters: spec.ignoreQueryParameters,
          error_message: job.value.error?.message ?? null,
          links: Option.getOrNull(links)
        }
      })
    })
  })
)

const summaryOf = (job: MapJob): typeof MapJobSummary.Type => ({
  job_id: JobId.make(job.id),
  url: job.spec.url,
  status: job.status,
  links_count: job.linksCount,
  duration_ms: job.durationMs,
  search: job.spec.search,
  error_code: job.error?.code ?? null,
  ...timesOf(job)
})
