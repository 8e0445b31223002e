import { type BatchResult, ScraperApi } from "@sluice/contract"
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { invalidState, noSuchJob, paymentRequired, refused } from "../answers.ts"
import { batchHistory, type HistoryRow } from "../JobHistory.ts"
import { reserved, type StoredJob } from "../JobStore.ts"
import { filterOf, listPageOf } from "../Listing.ts"
import { sliceOf } from "../Paging.ts"
import { SimulatedApi } from "../SimulatedApi.ts"
import { contentOf, outcomeOf, times, timestamp } from "./documents.ts"

/** Batches: refused URLs are not part of the job, the others keep their place in the request. */
export const BatchHandlers = HttpApiBuilder.group(
  ScraperApi,
  "batch",
  Effect.fnUntraced(function* (handlers) {
    const { jobs, options } = yield* SimulatedApi
    const { balance = Number.POSITIVE_INFINITY, listLag = 0, site, statusUrlPrefix = "" } = options
    const isInvalid = options.isInvalidUrl ?? (() => false)

    const resultOf = (row: HistoryRow, formats: Parameters<typeof contentOf>[2]): BatchResult => {
      const base = { input_index: row.inputIndex ?? 0, url: row.url, status: row.status, ...outcomeOf(site, row) }
      if (row.status !== "completed") return { ...base, data: null }
      const { data } = contentOf(site, row.url, formats)
      return { ...base, data: { ...data, links: null } }
    }
    const invalidUrls = (job: StoredJob<"batch">) => job.request.urls.filter(isInvalid)

    return handlers.handleAll({
      createBatch: Effect.fnUntraced(function* ({ payload }) {
        if (jobs.committedTokens >= balance) return yield* paymentRequired()
        const invalid = payload.urls.filter(isInvalid)
        const refusesInvalid = payload.ignore_invalid_urls === false || options.behaves?.refusesInvalidUrls === true
        if (invalid.length > 0 && refusesInvalid) {
          return yield* refused("VALIDATION_ERROR", `${invalid.length} URLs are invalid`)
        }
        const now = yield* Clock.currentTimeMillis
        const history = options.batch?.(payload, jobs.count("batch")) ?? batchHistory(site, payload.urls, {}, isInvalid)
        const job = jobs.create("batch", payload.urls[0] ?? "", payload, history, now)
        return {
          job_id: job.id,
          status: "queued" as const,
          status_url: `${statusUrlPrefix}/v1/batch/${job.id}`,
          accepted_urls: payload.urls.length - invalid.length,
          invalid_urls: invalid
        }
      }),
      listBatchJobs: ({ query }) =>
        Effect.sync(() => {
          const { jobs: rows, ...envelope } = listPageOf(
            jobs.list("batch", filterOf(query, options.listing), listLag),
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
                status: state?.status ?? ("queued" as const),
                accepted_urls: job.request.urls.length - invalidUrls(job).length,
                completed_urls: state?.completed ?? 0,
                failed_urls: state?.failed ?? 0,
                config: configOf(job.request),
                ...times(job)
              }
            })
          }
        }),
      getBatch: Effect.fnUntraced(function* ({ params, query }) {
        const job = jobs.find("batch", params.job_id)
        const now = yield* Clock.currentTimeMillis
        const state = job === undefined ? undefined : jobs.poll(job, now)
        if (job === undefined || state === undefined) return yield* noSuchJob()
        return {
          job_id: job.id,
          status: state.status,
          batch_config: configOf(job.request),
          token_summary: { tokens_charged_total: state.completed, tokens_reserved: reserved(state) },
          total_urls: state.total,
          completed_urls: state.completed,
          failed_urls: state.failed,
          cancelled_urls: state.cancelled,
          pending_urls: Math.max(0, state.total - state.completed - state.failed - state.cancelled),
          invalid_urls: invalidUrls(job),
          created_at: timestamp(job.createdAt),
          completed_at: job.endedAt === null ? null : timestamp(job.endedAt),
          results: sliceOf(state.rows, query, options.paging).map((row) =>
            resultOf(row, job.request.formats ?? options.behaves?.defaultFormats?.batch)
          )
        }
      }),
      cancelBatch: Effect.fnUntraced(function* ({ params }) {
        const job = jobs.find("batch", params.job_id)
        if (job === undefined) return yield* noSuchJob()
        const last = jobs.cancel(job, yield* Clock.currentTimeMillis)
        if (last === undefined) {
          return yield* invalidState(`Batch job ${job.id} is already over and cannot be cancelled`)
        }
        return {
          job_id: job.id,
          status: "cancelled" as const,
          status_url: `${statusUrlPrefix}/v1/batch/${job.id}`,
          in_flight_urls: reserved(last)
        }
      })
    })
  })
)

/** What an API echoes of a request. */
const configOf = ({ ignore_invalid_urls: _ignore, urls: _urls, ...config }: StoredJob<"batch">["request"]) => config
