import {
  type BatchAnswer,
  BatchStatus,
  type CrawlAnswer,
  CrawlStatus,
  isTerminal,
  type JobStatus
} from "@sluice/contract"
import { DateTime, Effect, Schema, Struct } from "effect"
import { lenientReader } from "../record/lenientReader.ts"
import { idOf, isMembers, membersOf, misfit } from "./answerFrame.ts"
import { fillCounters } from "./jobCounters.ts"
import { jobState } from "./jobState.ts"
import { refusedUrls } from "./refusedUrls.ts"
import type { Unreadable } from "./ScraperError.ts"

/** Of a job only its results are kept as they came: what cannot be read of the rest is filled in. */
const ignore = () => {}
const readCrawl = lenientReader(Schema.Struct(Struct.omit(CrawlStatus.fields, ["results", "crawl_config"])))
const readBatch = lenientReader(
  Schema.Struct(Struct.omit(BatchStatus.fields, ["results", "batch_config", "invalid_urls"]))
)

/** What no answer tells is taken for the beginning of time: nothing hangs on it. */
const never = DateTime.makeUnsafe(0)

/** The slice of results, and the state of the job. An answer that has neither is none about a job. */
const frameOf = (
  raw: unknown
): Effect.Effect<{ readonly status: JobStatus; readonly results: ReadonlyArray<unknown> }, Unreadable> =>
  Effect.flatMap(membersOf(raw), ({ completed_at: completedAt, results, status }) => {
    if (results !== undefined && results !== null && !Array.isArray(results)) return misfit('["results"]')
    if (typeof status !== "string" && !Array.isArray(results)) return misfit('["status"]')
    return Effect.succeed({ status: jobState(status, completedAt), results: Array.isArray(results) ? results : [] })
  })

/** A crawl's answer. Whatever counter it lacks is filled in: see {@link fillCounters}. */
export const crawlAnswer = (raw: unknown): Effect.Effect<CrawlAnswer, Unreadable> =>
  Effect.map(frameOf(raw), ({ results, status }) => {
    const told = readCrawl(raw, ignore) ?? {}
    const counts = countsOf(status, {
      total: told.total_pages,
      completed: told.completed_pages,
      failed: told.failed_pages,
      cancelled: told.cancelled_pages,
      tokens: told.token_summary
    })
    return {
      job_id: idOf(told.job_id),
      url: told.url ?? "",
      status,
      total_pages: counts.total,
      completed_pages: counts.completed,
      failed_pages: counts.failed,
      cancelled_pages: counts.cancelled,
      created_at: told.created_at ?? never,
      completed_at: told.completed_at ?? null,
      token_summary: { tokens_charged_total: counts.charged, tokens_reserved: counts.reserved },
      results
    }
  })

/** A batch's answer, likewise. */
export const batchAnswer = (raw: unknown): Effect.Effect<BatchAnswer, Unreadable> =>
  Effect.map(frameOf(raw), ({ results, status }) => {
    const told = readBatch(raw, ignore) ?? {}
    const counts = countsOf(status, {
      total: told.total_urls,
      completed: told.completed_urls,
      failed: told.failed_urls,
      cancelled: told.cancelled_urls,
      pending: told.pending_urls,
      tokens: told.token_summary
    })
    return {
      job_id: idOf(told.job_id),
      status,
      token_summary: { tokens_charged_total: counts.charged, tokens_reserved: counts.reserved },
      total_urls: counts.total,
      completed_urls: counts.completed,
      failed_urls: counts.failed,
      cancelled_urls: counts.cancelled,
      pending_urls: counts.pending,
      invalid_urls: refusedUrls(isMembers(raw) ? raw.invalid_urls : undefined).map(({ url }) => url),
      created_at: told.created_at ?? never,
      completed_at: told.completed_at ?? null,
      results
    }
  })

type Told = number | null | undefined

const countsOf = (
  status: JobStatus,
  told: {
    readonly total: Told
    readonly completed: Told
    readonly failed: Told
    readonly cancelled: Told
    readonly pending?: Told
    readonly tokens:
      | { readonly tokens_charged_total?: number | null; readonly tokens_reserved?: number | null }
      | null
      | undefined
  }
) =>
  fillCounters({
    hasEnded: isTerminal(status),
    total: told.total ?? null,
    completed: told.completed ?? null,
    failed: told.failed ?? null,
    cancelled: told.cancelled ?? null,
    pending: told.pending ?? null,
    charged: told.tokens?.tokens_charged_total ?? null,
    reserved: told.tokens?.tokens_reserved ?? null
  })
