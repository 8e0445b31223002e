import { isTerminal } from "@sluice/contract"
import { Clock, DateTime, Duration, Effect, Schema } from "effect"
import { isMembers } from "../api/answerFrame.ts"
import type { JobListing } from "../api/JobListing.ts"
import type { ListedKind, Scraper } from "../api/Scraper.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { isSameRequest, type ListedRequest, type Listing, listJobs } from "./listedJobs.ts"
import { normalizeUrl } from "./sameUrl.ts"

/** Which jobs count as orphans, and how far they are looked for. Every number is a bound. */
export interface OrphanOptions {
  /** Jobs made earlier than this before now are not looked at: a job's own deadline is a day. */
  readonly madeWithin: Duration.Input
  /** A job that has ended counts for so long after its end. One that runs counts. */
  readonly endedWithin: Duration.Input
  /** How far the API's clock and ours may differ. */
  readonly clockSkew: Duration.Input
  /** Pages of a list that are read, of 100 jobs each. */
  readonly maxPages: number
  /** Batches whose URLs are read, to tell them from ours: a list does not name them. */
  readonly maxReads: number
}

/** What {@link OrphanOptions} default to. A daily schedule that moves to another machine is not stopped by the run of the day before. */
export const orphanDefaults: OrphanOptions = {
  madeWithin: "1 day",
  endedWithin: "12 hours",
  clockSkew: "2 minutes",
  maxPages: 10,
  maxReads: 10
}

/** Jobs of the same request that no run explains, or a list that cannot tell. Somebody has to decide. */
export class OrphanedJobs extends Schema.TaggedError<OrphanedJobs>()("OrphanedJobs", {
  kind: Schema.String,
  url: Schema.String,
  /** Why the ledger is not believed, in a sentence. */
  suspicion: Schema.String,
  /** Each with what is known of it. */
  candidates: Schema.Array(Schema.String),
  /** Why the list cannot tell. */
  doubt: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const { candidates, doubt, kind, suspicion, url } = this
    if (candidates.length === 0) {
      return `${suspicion}, and the API's job list cannot tell whether the ${kind} of ${url} has been paid for: ${doubt}`
    }
    const [only] = candidates
    return candidates.length === 1
      ? `${suspicion}, and the API has a job of the same request that no run explains (${kind} of ${url}): ${only}`
      : `${suspicion}, and the API has ${candidates.length} jobs of the same request that no run explains (${kind} of ${url}): ${candidates.join("; ")}`
  }
}

/** What the list of a kind shows of late, or why it cannot be read. */
export interface RecentJobs {
  readonly jobs: ReadonlyArray<JobListing>
  /** Why a job that it does not show may exist all the same. */
  readonly doubt: string | undefined
}

/**
 * Reads the jobs of a kind that run or have ended of late: `maxPages` requests at most. A list that does not exist, or that
 * contradicts itself, is told as a doubt; an API that is down is a failure. `isNeeded` insists on answers that a proxy may have given;
 * without, the submission that follows meets them too, and is refused.
 */
export const readRecentJobs = Effect.fn("Orphans.readRecentJobs")(function* (
  scraper: Scraper["Service"],
  kind: ListedKind,
  options: OrphanOptions,
  isNeeded: boolean
): Effect.fn.Return<RecentJobs, ScraperError> {
  const now = yield* Clock.currentTimeMillis
  const since = now - Duration.toMillis(options.madeWithin)
  const isFinal = isNeeded ? hasNoList : isNoAnswer
  const listing = yield* listJobs(scraper, kind, { since, maxPages: options.maxPages, isFinal }).pipe(
    Effect.catchIf(isNeeded ? (error) => hasNoList(error) || error.reason._tag === "Unreadable" : isNoAnswer, (error) =>
      Effect.succeed(unread(error.message))
    )
  )
  const endedSince = now - Duration.toMillis(options.endedWithin) - Duration.toMillis(options.clockSkew)
  const jobs = listing.jobs.filter((job) => job.createdAt >= since && isRecent(job, endedSince))
  const doubt = listing.isComplete ? listing.doubt : `it has more than ${options.maxPages} pages`
  return { jobs, doubt }
})

/** The API offers no such list. */
const hasNoList = ({ reason }: ScraperError): boolean => reason._tag === "NotFound" || reason._tag === "InvalidRequest"

/** Waiting does not cure it, or nothing was reached: a submission would fail the same way, and pay nothing. */
const isNoAnswer = (error: ScraperError): boolean =>
  !error.isRetryable || (error.reason._tag === "Unavailable" && error.tookNoEffect)

const unread = (doubt: string): Listing => ({ jobs: [], doubt, isComplete: true })

/** What failed or was cancelled without a page has cost nothing and has nothing to give. */
const isRecent = ({ completed, endedAt, status }: JobListing, endedSince: number): boolean => {
  if (!isTerminal(status)) return true
  if (status !== "completed" && completed === 0) return false
  return endedAt === null || endedAt >= endedSince
}

/** Which of them may be of a request, as far as a list tells, newest first. */
export const jobsOfRequest = (request: ListedRequest, jobs: ReadonlyArray<JobListing>): ReadonlyArray<JobListing> =>
  jobs.filter((job) => isSameRequest(request, job)).toSorted((a, b) => b.createdAt - a.createdAt)

/** Drops jobs that turn out to be of another request once they are read: a list of batches names no URL. */
export const withoutOthers = Effect.fn("Orphans.withoutOthers")(function* (
  scraper: Scraper["Service"],
  request: ListedRequest,
  jobs: ReadonlyArray<JobListing>,
  { maxReads }: OrphanOptions
): Effect.fn.Return<ReadonlyArray<JobListing>> {
  if (request.kind !== "batch") return jobs
  const urls = urlsOf(request.body)
  const read = yield* Effect.filter(jobs.slice(0, maxReads), (job) => holdsOnly(scraper, job, urls))
  return [...read, ...jobs.slice(maxReads)]
})

/** Rows of a batch that are read to compare its URLs. */
const comparedRows = 50

/** Whether a batch is of no other URLs than these, as far as its first results tell. */
const holdsOnly = (scraper: Scraper["Service"], { jobId }: JobListing, urls: ReadonlySet<string>) =>
  Effect.match(scraper.getBatch(jobId, { page: 1, pageSize: comparedRows }), {
    onSuccess: ({ results }) =>
      results.every(
        (result) => !isMembers(result) || typeof result.url !== "string" || urls.has(normalizeUrl(result.url))
      ),
    // One that cannot be read is not told from ours.
    onFailure: () => true
  })

const urlsOf = (body: unknown): ReadonlySet<string> =>
  new Set(isMembers(body) && Array.isArray(body.urls) ? body.urls.map((url) => normalizeUrl(String(url))) : [])

/** A job as a sentence names it. */
export const describeJob = ({ createdAt, endedAt, jobId, status }: JobListing): string => {
  const instant = (millis: number) => DateTime.formatIso(DateTime.makeUnsafe(millis))
  const made = Number.isFinite(createdAt) ? `, made ${instant(createdAt)}` : ""
  return `${jobId} (${status}${made}${endedAt === null ? "" : `, ended ${instant(endedAt)}`})`
}
