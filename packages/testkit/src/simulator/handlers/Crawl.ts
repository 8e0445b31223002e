import { type CrawlResult, ScraperApi } from "@sluice/contract"
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { invalidState, noSuchJob, paymentRequired } from "../answers.ts"
import { crawlHistory, type HistoryRow } from "../JobHistory.ts"
import { reserved } from "../JobStore.ts"
import { filterOf, listPageOf } from "../Listing.ts"
import { sliceOf } from "../Paging.ts"
import { SimulatedApi } from "../SimulatedApi.ts"
import { contentOf, outcomeOf, times, timestamp } from "./documents.ts"

/** Crawls: each GET of one lets a poll of its history pass. */
export const CrawlHandlers = HttpApiBuilder.group(
  ScraperApi,
  "crawl",
  Effect.fnUntraced(function* (handlers) {
    const { jobs, options } = yield* SimulatedApi
    const { balance = Number.POSITIVE_INFINITY, listLag = 0, site, statusUrlPrefix = "" } = options

    const resultOf = (row: HistoryRow, formats: Parameters<typeof contentOf>[2]): CrawlResult => {
      const { url, parentUrl: parent_url, depth, status } = row
      const base = { url, parent_url, depth, status, ...outcomeOf(site, row) }
      return status === "completed"
        ? { ...base, ...contentOf(site, url, formats) }
        : { ...base, links: null, data: null }
    }

    return handlers.handleAll({
      createCrawl: Effect.fnUntraced(function* ({ payload }) {
        if (jobs.committedTokens >= balance) return yield* paymentRequired()
        const now = yield* Clock.currentTimeMillis
        const history =
          options.crawl?.(payload, jobs.count("crawl")) ??
          crawlHistory(site, {
            ...(payload.limit === undefined ? {} : { limit: payload.limit }),
            ...(payload.depth === undefined ? {} : { depth: payload.depth })
          })
        const job = jobs.create("crawl", payload.url, payload, history, now)
        return {
          job_id: job.id,
          url: job.url,
          status: "queued" as const,
          status_url: `${statusUrlPrefix}/v1/crawl/${job.id}`,
          ...(payload.limit === undefined ? {} : { estimated_pages: payload.limit })
        }
      }),
      listCrawlJobs: ({ query }) =>
        Effect.sync(() => {
          const { jobs: rows, ...envelope } = listPageOf(
            jobs.list("crawl", filterOf(query, options.listing), listLag),
            query,
            10,
            options.listing
          )
          return {
            ...envelope,
            jobs: rows.map((job) => {
              const state = jobs.peek(job)
              return {
                job_id: job.id,
                url: job.url,
                status: state?.status ?? ("queued" as const),
                total_pages: state?.total ?? 0,
                completed_pages: state?.completed ?? 0,
                failed_pages: state?.failed ?? 0,
                config: configOf(job.request),
                ...times(job)
              }
            })
          }
        }),
      getCrawl: Effect.fnUntraced(function* ({ params, query }) {
        const job = jobs.find("crawl", params.job_id)
        const now = yield* Clock.currentTimeMillis
        const state = job === undefined ? undefined : jobs.poll(job, now)
        if (job === undefined || state === undefined) return yield* noSuchJob()
        return {
          job_id: job.id,
          url: job.url,
          status: state.status,
          crawl_config: configOf(job.request),
          total_pages: state.total,
          completed_pages: state.completed,
          failed_pages: state.failed,
          cancelled_pages: state.cancelled,
          created_at: timestamp(job.createdAt),
          completed_at: job.endedAt === null ? null : timestamp(job.endedAt),
          token_summary: { tokens_charged_total: state.completed, tokens_reserved: reserved(state) },
          results: sliceOf(state.rows, query, options.paging).map((row) =>
            resultOf(row, job.request.formats ?? options.behaves?.defaultFormats?.crawl)
          )
        }
      }),
      cancelCrawl: Effect.fnUntraced(function* ({ params }) {
        const job = jobs.find("crawl", params.job_id)
        if (job === undefined) return yield* noSuchJob()
        const last = jobs.cancel(job, yield* Clock.currentTimeMillis)
        if (last === undefined) {
          return yield* invalidState(`Crawl job ${job.id} is already over and cannot be cancelled`)
        }
        return {
          job_id: job.id,
          status: "cancelled" as const,
          status_url: `${statusUrlPrefix}/v1/crawl/${job.id}`,
          in_flight_pages: reserved(last)
        }
      })
    })
  })
)

/** What an API echoes of a request. */
const configOf = <R extends { readonly url?: unknown; readonly limit?: unknown; readonly depth?: unknown }>(
  request: R
): Omit<R, "url" | "limit" | "depth"> => {
  const { depth: _depth, limit: _limit, url: _url, ...config } = request
  return config
}
