import { Caller, JobId, ScraperApi } from "@sluice/contract"
import { Effect, Option } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { mostPagesOf } from "../../crawl/CrawlStrategy.ts"
import { Crawls } from "../../crawl/Crawls.ts"
import { crawlConfigOf, crawlResultOf, crawlStatusOf, crawlUrl } from "../../crawl/crawlDocuments.ts"
import { pageOf, timesOf } from "../../jobs/Job.ts"
import { Proxies } from "../../net/Proxies.ts"
import { Renderer } from "../../rendering/Renderer.ts"
import { ServerSettings } from "../../ScraperConfig.ts"
import { ApiKeys } from "../ApiKeys.ts"
import { invalidState, noSuchJob, unprocessable } from "../errorResponse.ts"
import { Quota } from "../Quota.ts"
import { renderable, routable, targetUrl } from "./checkRequest.ts"

/** Crawl endpoints. */
export const CrawlHandlers = HttpApiBuilder.group(
  ScraperApi,
  "crawl",
  Effect.fnUntraced(function* (handlers) {
    const settings = yield* ServerSettings
    const apiKeys = yield* ApiKeys
    const crawls = yield* Crawls
    const quota = yield* Quota
    const renderer = yield* Renderer
    const proxies = yield* Proxies

    const find = Effect.fnUntraced(function* (id: string) {
      const { id: owner } = yield* Caller
      const job = crawls.find(owner, id)
      return Option.isSome(job) ? job.value : yield* noSuchJob()
    })

    return handlers.handleAll({
      createCrawl: Effect.fnUntraced(function* ({ payload }) {
        yield* renderable(renderer, payload)
        yield* routable(proxies, payload)
        const url = yield* targetUrl(payload.url)
        const { id: owner } = yield* Caller
        const depth = payload.depth ?? 2
        const { maxCrawlDepth } = apiKeys.limitsOf(owner)
        if (depth > maxCrawlDepth) {
          return yield* unprocessable(
            "VALIDATION_ERROR",
            `Crawl depth limit exceeded: requested ${depth}, plan allows at most ${maxCrawlDepth}`
          )
        }
        const limit = payload.limit ?? settings.defaultCrawlLimit
        const spec = {
          url,
          depth,
          limit,
          formats: payload.formats ?? ["markdown"],
          sameDomainOnly: payload.same_domain_only ?? true,
          includeSubdomains: payload.include_subdomains ?? false,
          proxy: { country: null, type: "residential", ...payload.proxy },
          waitConfig: payload.wait_config ?? null,
          renderJs: payload.render_js ?? false
        } as const
        const create = crawls.create(owner, spec, [{ url, parent: null, depth: 1 }], [])
        const job = yield* quota.withOne(owner, mostPagesOf(spec), Effect.orDie(create))
        return {
          job_id: JobId.make(job.id),
          url: job.spec.url,
          status: job.status,
          status_url: crawlUrl(job.id),
          estimated_pages: mostPagesOf(spec)
        }
      }),
      listCrawlJobs: Effect.fnUntraced(function* ({ query }) {
        const { id: owner } = yield* Caller
        const { rows, ...paging } = pageOf(crawls.list(owner, query), query.page ?? 1, query.page_size ?? 10)
        const jobs = rows.map((job) => ({
          job_id: JobId.make(job.id),
          url: job.spec.url,
          status: job.status,
          total_pages: job.counts.total,
          completed_pages: job.counts.completed,
          failed_pages: job.counts.failed,
          config: crawlConfigOf(job),
          ...timesOf(job)
        }))
        return { jobs, ...paging }
      }),
      getCrawl: Effect.fnUntraced(function* ({ params, query }) {
        const job = yield* find(params.job_id)
        const { slots } = yield* Effect.orDie(crawls.slice(job, query.page ?? 1, query.page_size ?? 10))
        return { ...crawlStatusOf(job), results: slots.map(crawlResultOf) }
      }),
      cancelCrawl: Effect.fnUntraced(function* ({ params }) {
        const job = yield* find(params.job_id)
        if (job.status !== "queued" && job.status !== "processing") {
          return yield* invalidState(`Crawl job ${job.id} is already ${job.status} and cannot be cancelled`)
        }
        const inFlight = yield* Effect.orDie(crawls.cancel(job))
        return {
          job_id: params.job_id,
          status: "cancelled",
          status_url: crawlUrl(job.id),
          in_flight_pages: inFlight
        } as const
      })
    })
  })
)
