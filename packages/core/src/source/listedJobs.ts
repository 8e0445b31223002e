import { Effect, Schema } from "effect"
import type { JobListing } from "../api/JobListing.ts"
import type { ListedKind, Scraper } from "../api/Scraper.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { canonicalJson } from "../record/canonicalJson.ts"
import { isSameUrl } from "./sameUrl.ts"

/** A request as the jobs of a list are compared with it. */
export interface ListedRequest {
  readonly kind: ListedKind
  readonly url: string
  readonly body: unknown
}

/** What a job list shows from an instant on, and what in it contradicts itself. */
export interface Listing {
  readonly jobs: ReadonlyArray<JobListing>
  readonly doubt: string | undefined
  /** Whether it was read to its end: it may have more pages than are read. */
  readonly isComplete: boolean
}

/** Reads a job list, one page further than it promises where its last page is full. */
export const listJobs = Effect.fnUntraced(function* (
  scraper: Scraper["Service"],
  kind: ListedKind,
  options: { readonly since: number; readonly maxPages: number; readonly isFinal?: (error: ScraperError) => boolean }
): Effect.fn.Return<Listing, ScraperError> {
  const { isFinal, since } = options
  const jobs = new Map<string, JobListing>()
  let doubt: string | undefined
  for (let page = 1; page <= options.maxPages; page++) {
    const list = yield* scraper.listJobs(kind, { since, page, ...(isFinal === undefined ? {} : { isFinal }) })
    const fresh = list.jobs.filter(({ jobId }) => !jobs.has(jobId))
    if (list.jobs.some(({ createdAt }) => createdAt < since)) doubt ??= "it shows jobs from before the date asked for"
    if (list.jobs.length > 0 && fresh.length === 0) doubt ??= `its page ${page} repeats an earlier one`
    else if (page > Math.max(1, list.pages) && fresh.length > 0) {
      doubt ??= `it says that it has ${list.pages} pages, and page ${page} holds more jobs`
    }
    if (list.jobs.length === 0 && page < list.pages)
      doubt ??= `it says that it has ${list.pages} pages, and page ${page} is empty`
    for (const job of fresh) jobs.set(job.jobId, job)
    const isFull = list.jobs.length >= list.pageSize
    if (fresh.length === 0 || (page >= list.pages && !isFull))
      return { jobs: [...jobs.values()], doubt, isComplete: true }
  }
  return { jobs: [...jobs.values()], doubt, isComplete: false }
})

const Body = Schema.Record(Schema.String, Schema.Unknown)
const isBody = Schema.is(Body)

/** Whether a listed job may be of the request: whatever both name must agree. */
export const isSameRequest = (request: ListedRequest, job: JobListing): boolean => {
  if (job.url !== null && !isSameUrl(job.url, request.url)) return false
  const body = isBody(request.body) ? request.body : {}
  const { urls } = body
  if (job.accepted !== null && Array.isArray(urls) && job.accepted > urls.length) return false
  return Object.entries(body).every(([member, asked]) => {
    const told = job.config[member]
    return told === undefined || told === null || agrees(asked, told)
  })
}

/** A server may fill in members of an object we left open, so only what we named is compared. */
const agrees = (asked: unknown, told: unknown): boolean =>
  isBody(asked) && isBody(told)
    ? Object.entries(asked).every(([member, value]) => told[member] === undefined || agrees(value, told[member]))
    : canonicalJson(asked) === canonicalJson(told)
