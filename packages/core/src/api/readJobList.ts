import { BatchJobSummary, CrawlJobSummary, ExtractJobSummary, isTerminal, type JobStatus } from "@sluice/contract"
import { DateTime, Effect } from "effect"
import { lenientReader } from "../record/lenientReader.ts"
import { looseInteger } from "../record/looseValues.ts"
import { idOf, isMembers, type Members, membersOf, misfit } from "./answerFrame.ts"
import type { JobListing, JobListPage } from "./JobListing.ts"
import { jobState } from "./jobState.ts"
import type { Unreadable } from "./ScraperError.ts"

const ignore = () => {}
const readers = {
  crawl: lenientReader(CrawlJobSummary),
  batch: lenientReader(BatchJobSummary),
  extract: lenientReader(ExtractJobSummary)
}

/**
 * A page of a job list. A row that names no job is skipped; one that does not tell when it was made may be of any time. Where the
 * list does not tell how many pages it has, a full page has another behind it.
 */
export const jobList =
  (kind: keyof typeof readers, { page, pageSize }: { readonly page: number; readonly pageSize: number }) =>
  (raw: unknown): Effect.Effect<JobListPage, Unreadable> =>
    Effect.flatMap(membersOf(raw), ({ jobs, page_count: pageCount, page_size: toldSize }) => {
      if (!Array.isArray(jobs)) return misfit('["jobs"]')
      const pages = looseInteger(pageCount, false)
      const size = looseInteger(toldSize, false)
      return Effect.succeed({
        pageSize: typeof size === "number" ? Math.min(pageSize, Math.max(1, size)) : pageSize,
        jobs: jobs.filter(isMembers).flatMap((row) => listingOf(kind, row) ?? []),
        pages: typeof pages === "number" ? pages : jobs.length >= pageSize ? page + 1 : page
      })
    })

const listingOf = (kind: keyof typeof readers, row: Members): JobListing | undefined => {
  const jobId = idOf(row.job_id)
  if (jobId === "") return undefined
  const told: Told = readers[kind](row, ignore) ?? {}
  const status = jobState(row.status, row.completed_at)
  const createdAt = told.created_at ? DateTime.toEpochMillis(told.created_at) : Number.POSITIVE_INFINITY
  return {
    jobId,
    status,
    createdAt,
    endedAt: isTerminal(status) ? endOf(told, createdAt) : null,
    completed: completedOf(told, status),
    url: "url" in told ? (told.url ?? null) : null,
    accepted: "accepted_urls" in told ? (told.accepted_urls ?? null) : null,
    config: configOf(row)
  }
}

type Told = NonNullable<ReturnType<(typeof readers)[keyof typeof readers]>>

/** Extractions tell how long they took in place of when they ended. */
const endOf = (told: Told, createdAt: number): number | null => {
  if ("completed_at" in told && told.completed_at) return DateTime.toEpochMillis(told.completed_at)
  const took = "execution_time" in told ? told.execution_time : undefined
  return typeof took === "number" && Number.isFinite(createdAt) ? createdAt + took : null
}

/** An extraction is one page. */
const completedOf = (told: Told, status: JobStatus): number | null => {
  if ("completed_pages" in told) return told.completed_pages ?? null
  if ("completed_urls" in told) return told.completed_urls ?? null
  return "output" in told && isTerminal(status) ? Number(status === "completed") : null
}

const configOf = ({ batch_config: batch, config, crawl_config: crawl, output }: Members): Members => {
  const told = [config, crawl, batch].find(isMembers) ?? {}
  return Array.isArray(output) ? { ...told, formats: output } : told
}
