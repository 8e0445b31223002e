import { ScraperApi } from "@sluice/contract"
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { notOffered } from "../answers.ts"
import type { EndedPages } from "../ChargeLedger.ts"
import { SimulatedApi } from "../SimulatedApi.ts"
import { timestamp } from "./documents.ts"

const dayMs = 86_400_000
const standardRangeMs = 30 * dayMs

/** Statistics by the books, in days of UTC. How long pages took is not in them. Both bounds are inclusive. */
export const StatisticsHandlers = HttpApiBuilder.group(
  ScraperApi,
  "statistics",
  Effect.fnUntraced(function* (handlers) {
    const { charges } = yield* SimulatedApi
    return handlers.handleAll({
      getStatistics: Effect.fnUntraced(function* ({ query }) {
        const to = query.end_date?.epochMilliseconds ?? (yield* Clock.currentTimeMillis)
        const from = query.start_date?.epochMilliseconds ?? to - standardRangeMs
        const ended = charges.ended.filter(({ at }) => at >= from && at <= to)
        const before = charges.ended.filter(({ at }) => at >= from - (to - from) && at < from)
        const { failed, ok } = sumOf(ended)
        const count = ok + failed
        const earlier = sumOf(before)
        const days = byDay(ended)
        return {
          extraction_count: count,
          previous_period_extraction_count: earlier.ok + earlier.failed,
          success_rate: count === 0 ? 0 : ok / count,
          average_extraction_duration: 0,
          period_tokens_used: ok,
          requests: days.map(({ date, failed, ok }) => ({
            date,
            success_request_count: ok,
            failed_request_count: failed
          })),
          tokens_used: days.map(({ date, ok }) => ({ date, tokens_used: ok }))
        }
      }),
      getUsage: () => notOffered
    })
  })
)

const sumOf = (pages: ReadonlyArray<EndedPages>): Pick<EndedPages, "ok" | "failed"> =>
  pages.reduce((sum, { failed, ok }) => ({ ok: sum.ok + ok, failed: sum.failed + failed }), { ok: 0, failed: 0 })

const byDay = (pages: ReadonlyArray<EndedPages>) =>
  [...Map.groupBy(pages, ({ at }) => Math.floor(at / dayMs))]
    .sort(([a], [b]) => a - b)
    .map(([day, ofDay]) => ({ date: timestamp(day * dayMs), ...sumOf(ofDay) }))
