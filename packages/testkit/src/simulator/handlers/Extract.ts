import { type ExtractRequest, ScraperApi } from "@sluice/contract"
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { noSuchJob, paymentRequired, refused } from "../answers.ts"
import { type JobHistory, stateOf, unknownAtFirst, vanishingAt } from "../JobHistory.ts"
import { filterOf, listPageOf } from "../Listing.ts"
import { type ExtractPlan, SimulatedApi } from "../SimulatedApi.ts"
import type { PageEnding, SiteModel } from "../SiteModel.ts"
import { contentOf, outcomeOf, times, timestamp } from "./documents.ts"

/** Extractions. A synchronous one is charged and answered at once; its failure is a 422 with the page's error code. */
export const ExtractHandlers = HttpApiBuilder.group(
  ScraperApi,
  "extract",
  Effect.fnUntraced(function* (handlers) {
    const { charges, jobs, options } = yield* SimulatedApi
    const { balance = Number.POSITIVE_INFINITY, listLag = 0, site, statusUrlPrefix = "" } = options

    const isWanted = (url: string, wanted: string): boolean => {
      const filter = options.behaves?.urlFilter ?? "exact"
      return filter === "ignored" || (filter === "part" ? url.includes(wanted) : url === wanted)
    }
    const asked = (request: ExtractRequest): ExtractRequest => {
      const formats = request.formats ?? options.behaves?.defaultFormats?.extract
      return formats === undefined ? request : { ...request, formats }
    }

    return handlers.handleAll({
      createExtraction: Effect.fnUntraced(function* ({ payload }) {
        if (jobs.committedTokens >= balance) return yield* paymentRequired()
        const plan = options.extract?.(payload, jobs.count("extract")) ?? {}
        const ending = plan.ending ?? site.ending(payload.url)
        const now = yield* Clock.currentTimeMillis
        const job = jobs.create("extract", payload.url, payload, historyOfExtraction(payload.url, plan, ending), now)
        if (payload.processing_mode === "async") {
          return {
            job_id: job.id,
            status: "queued" as const,
            status_url: `${statusUrlPrefix}/v1/extract/${job.id}`,
            estimated_tokens: 1
          }
        }
        job.polls = Number.MAX_SAFE_INTEGER
        job.endedAt = now
        const charged = { jobId: job.id, kind: "extract" as const, url: payload.url }
        if (ending.status === "failed") {
          charges.charge({ ...charged, tokens: 0 }, now, 1)
          return yield* refused(ending.errorCode, ending.errorMessage)
        }
        charges.charge({ ...charged, tokens: 1 }, now)
        return {
          data: dataOf(site, asked(payload)),
          metadata: metadataOf(site, payload, "sync"),
          tokens_charged: 1
        }
      }),
      listExtractionJobs: ({ query }) =>
        Effect.sync(() => {
          const chosen = jobs
            .list("extract", filterOf(query, options.listing), listLag)
            .filter((job) => query.url === undefined || isWanted(job.url, query.url))
            .filter((job) => options.behaves?.listsSyncExtractions !== false || job.request.processing_mode === "async")
            .filter((job) => query.job_id === undefined || job.id === query.job_id)
          const { jobs: rows, ...envelope } = listPageOf(chosen, query, 100, options.listing)
          return {
            ...envelope,
            jobs: rows.map((job) => ({
              job_id: job.id,
              status: jobs.peek(job)?.status ?? ("queued" as const),
              url: job.url,
              created_at: times(job).created_at,
              execution_time: job.endedAt === null ? null : Math.round(job.endedAt - job.createdAt),
              output: job.request.formats ?? ["markdown"]
            }))
          }
        }),
      getExtractionJob: Effect.fnUntraced(function* ({ params }) {
        const job = jobs.find("extract", params.job_id)
        const now = yield* Clock.currentTimeMillis
        const state = job === undefined ? undefined : jobs.poll(job, now)
        if (job === undefined || state === undefined) return yield* noSuchJob()
        const [row] = state.rows.slice(0, 1)
        const done = state.status === "completed"
        const { error_code, error_message } = outcomeOf(site, { ...row!, status: state.status })
        return {
          job_id: job.id,
          status: state.status,
          created_at: timestamp(job.createdAt),
          completed_at: job.endedAt === null ? null : timestamp(job.endedAt),
          data: done ? dataOf(site, asked(job.request)) : null,
          metadata: done ? metadataOf(site, job.request, "async") : null,
          error:
            error_code === null
              ? null
              : { code: error_code, message: error_message ?? "", retryable: false, details: {} },
          tokens_charged: job.endedAt === null ? null : done ? 1 : 0
        }
      })
    })
  })
)

const historyOfExtraction = (
  url: string,
  plan: ExtractPlan,
  ending: PageEnding | { readonly status: "cancelled" | "endless" }
): JobHistory => {
  const { polls = 1, unknownPolls = 0, vanishesAfter } = plan
  const page = { url, parentUrl: null, depth: 1 }
  const working = stateOf("processing", [{ ...page, status: "processing" }])
  const ended =
    ending.status === "endless" ? working : stateOf(ending.status, [{ ...page, ...ending, status: ending.status }])
  const life: JobHistory = { at: (poll) => (poll < polls ? working : ended) }
  const known = unknownAtFirst(unknownPolls, life)
  return vanishesAfter === undefined ? known : vanishingAt(unknownPolls + vanishesAfter, known)
}

const dataOf = (site: SiteModel, request: ExtractRequest) => {
  const { data, links } = contentOf(site, request.url, request.formats)
  return { ...data, links: request.extract_links === true ? links : null }
}

const metadataOf = (site: SiteModel, request: ExtractRequest, processing_mode: "sync" | "async") => {
  const { durationMs, httpStatus, retryCount } = site.content(request.url)
  return {
    url: request.url,
    render_js: request.render_js ?? false,
    http_status: httpStatus,
    duration_ms: durationMs,
    retry_count: retryCount,
    formats: request.formats ?? ["markdown" as const],
    processing_mode
  }
}
