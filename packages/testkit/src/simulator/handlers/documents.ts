import type { OutputFormat } from "@sluice/contract"
import { DateTime } from "effect"
import type { HistoryRow } from "../JobHistory.ts"
import type { StoredJob } from "../JobStore.ts"
import type { SiteModel } from "../SiteModel.ts"

/** A moment as the contract writes it. */
export const timestamp = (millis: number): DateTime.Utc => DateTime.makeUnsafe(Math.round(millis))

/** When a job was made and when it was first seen to have ended. */
export const times = (job: StoredJob) => ({
  created_at: timestamp(job.createdAt),
  completed_at: job.endedAt === null ? null : timestamp(job.endedAt)
})

/** What a completed page holds in the formats that were asked for. */
export const contentOf = (site: SiteModel, url: string, formats: ReadonlyArray<OutputFormat> = ["markdown"]) => {
  const { html, links, markdown } = site.content(url)
  return {
    data: {
      markdown: formats.includes("markdown") ? markdown : null,
      html: formats.includes("html") ? html : null
    },
    links
  }
}

/** Error members and metadata of a row. A page that was not fetched to the end has no metadata. */
export const outcomeOf = (site: SiteModel, row: HistoryRow) => {
  const failed = row.status === "failed"
  const errors = {
    error_code: failed ? (row.errorCode ?? "FETCH_FAILED") : null,
    error_message: failed ? (row.errorMessage ?? "The page could not be fetched") : null
  }
  if (row.status === "completed") {
    const { durationMs, httpStatus, retryCount } = site.content(row.url)
    return {
      ...errors,
      metadata: { http_status: httpStatus, duration_ms: durationMs, retry_count: retryCount, tokens_charged: 1 }
    }
  }
  return failed
    ? { ...errors, metadata: { http_status: 500, duration_ms: 10, retry_count: 3, tokens_charged: 0 } }
    : { ...errors, metadata: null }
}
