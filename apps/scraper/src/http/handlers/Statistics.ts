import { Caller, ScraperApi } from "@sluice/contract"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { nowMillis, timestamp } from "../../jobs/Job.ts"
import { UsageRecorder } from "../../jobs/UsageRecorder.ts"
import { Quota } from "../Quota.ts"

const standardRangeMs = 30 * 24 * 3_600_000

/**
 * What the pages of a key came to. An extraction is a page that ended, of whatever kind of job. Pages are counted by the
 * hour: an hour that a range touches counts whole, and the previous period is the same number of hours before. A rate or an
 * average of nothing is 0.
 */
export const StatisticsHandlers = HttpApiBuilder.group(
  ScraperApi,
  "statistics",
  Effect.fnUntraced(function* (handlers) {
    const { stats } = yield* UsageRecorder
    const quota = yield* Quota

    return handlers.handleAll({
      getStatistics: Effect.fnUntraced(function* ({ query }) {
        const { id: owner } = yield* Caller
        const to = query.end_date?.epochMilliseconds ?? (yield* nowMillis)
        const from = query.start_date?.epochMilliseconds ?? to - standardRangeMs
        const { failed, ms, ok } = stats.sum(owner, from, to)
        const before = stats.sumBefore(owner, from, to)
        const count = ok + failed
        const days = stats.days(owner, from, to)
        return {
          extraction_count: count,
          previous_period_extraction_count: before.ok + before.failed,
          success_rate: count === 0 ? 0 : ok / count,
          average_extraction_duration: count === 0 ? 0 : ms / count,
          period_tokens_used: ok,
          requests: days.map(([midnight, sum]) => ({
            date: timestamp(midnight),
            success_request_count: sum.ok,
            failed_request_count: sum.failed
          })),
          tokens_used: days.map(([midnight, sum]) => ({ date: timestamp(midnight), tokens_used: sum.ok }))
        }
      }),
      getUsage: Effect.fnUntraced(function* () {
        const { id: owner } = yield* Caller
        return { ...quota.usage(owner) }
      })
    })
  })
)
