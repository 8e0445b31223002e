import { ScraperApi } from "@sluice/contract"
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { noSuchJob } from "../answers.ts"
import { historyOf, stateOf } from "../JobHistory.ts"
import { pageOf } from "../JobStore.ts"
import { SimulatedApi } from "../SimulatedApi.ts"
import { times } from "./documents.ts"

/** Maps: answered at once, listed as jobs afterwards. They cost nothing. */
export const MapHandlers = HttpApiBuilder.group(
  ScraperApi,
  "map",
  Effect.fnUntraced(function* (handlers) {
    const { jobs, options } = yield* SimulatedApi
    const { listLag = 0, site } = options
    const allUrls = () => site.pages.slice(0, site.pages.length).map(({ url }) => url)
    const linksOf = (request: Parameters<NonNullable<typeof options.map>>[0]) => {
      const wanted = request.search?.toLowerCase()
      return (options.map?.(request) ?? allUrls())
        .filter((url) => wanted === undefined || url.toLowerCase().includes(wanted))
        .map((url) => ({ url, source: "sitemap" as const }))
    }

    return handlers.handleAll({
      mapUrls: Effect.fnUntraced(function* ({ payload }) {
        const now = yield* Clock.currentTimeMillis
        const job = jobs.create("map", payload.url, payload, historyOf(stateOf("completed", [])), now)
        job.endedAt = now
        const links = linksOf(payload)
        return {
          success: true,
          links,
          warning: links.length === 0 ? "No URLs were found" : null,
          metadata: { url: payload.url, duration_ms: 5, links_count: links.length }
        }
      }),
      listMapJobs: ({ query }) =>
        Effect.sync(() => {
          const listed = options.behaves?.listsMaps === false ? [] : jobs.list("map", query, listLag)
          const { jobs: rows, ...envelope } = pageOf(listed, query, 10)
          return {
            ...envelope,
            jobs: rows.map((job) => ({
              job_id: job.id,
              url: job.url,
              status: "completed" as const,
              links_count: linksOf(job.request).length,
              ...times(job)
            }))
          }
        }),
      getMapJob: Effect.fnUntraced(function* ({ params }) {
        const job = jobs.find("map", params.job_id)
        if (job === undefined) return yield* noSuchJob()
        const links = linksOf(job.request)
        return {
          job_id: job.id,
          url: job.url,
          status: "completed" as const,
          links_count: links.length,
          ...(options.behaves?.mapTokens === undefined ? {} : { tokens_charged: options.behaves.mapTokens }),
          links,
          ...times(job)
        }
      })
    })
  })
)
