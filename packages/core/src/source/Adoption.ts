import type { JobId } from "@sluice/contract"
import { Clock, Duration, Effect, Schema } from "effect"
import type { JobListing } from "../api/JobListing.ts"
import type { ListedKind, Scraper } from "../api/Scraper.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { isSameRequest, type ListedRequest, type Listing, listJobs } from "./listedJobs.ts"

/** How a lost submission is looked for. Every number is a bound. */
export interface AdoptionOptions {
  /** How long after a submission a job list may still miss it. */
  readonly lag: Duration.Input
  /** Looks at the list it takes at least, however long ago the submission was: a list may be served from a cache. */
  readonly looks: number
  /** The pause between two looks. */
  readonly pause: Duration.Input
  /** How far the API's clock and ours may differ. */
  readonly clockSkew: Duration.Input
  /** Pages of a list that are read, of 100 jobs each. */
  readonly maxPages: number
  /** Why a list is not believed that shows no job, as was seen before; absent where nothing is known against it. */
  readonly doubt?: string
}

/** What {@link AdoptionOptions} default to. */
export const adoptionDefaults: AdoptionOptions = {
  lag: "30 seconds",
  looks: 4,
  pause: "2 seconds",
  clockSkew: "2 minutes",
  maxPages: 50
}

/** A submission whose answer was lost. */
export interface LostSubmission extends ListedRequest {
  /** Epoch milliseconds of the intent. */
  readonly submittedAt: number
}

/** More than one job could be the lost submission, or the list is too long to be sure. Somebody has to decide. */
export class Ambiguous extends Schema.TaggedError<Ambiguous>()("Ambiguous", {
  kind: Schema.String,
  url: Schema.String,
  candidates: Schema.Array(Schema.String),
  /** Why the list is not believed, where it shows no such job. */
  doubt: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    if (this.doubt !== undefined) {
      return `the answer to a submission (${this.kind} of ${this.url}) was lost, and the API's job list cannot be relied on: ${this.doubt}`
    }
    return this.candidates.length === 0
      ? `the answer to a submission (${this.kind} of ${this.url}) was lost, and the API's job list is too long to tell whether it took effect`
      : `the answer to a submission (${this.kind} of ${this.url}) was lost, and ${this.candidates.length} jobs could be it: ${this.candidates.join(", ")}`
  }
}

/** A job of the same kind that the ledger knows, and when it was asked for, in epoch milliseconds. */
export interface KnownJob {
  readonly jobId: string
  readonly submittedAt: number
}

/** What a ledger knows of other submissions. */
export interface KnownJobs {
  /** Which of these jobs belong to other submissions. */
  readonly isKnown: (jobIds: ReadonlyArray<string>) => Effect.Effect<ReadonlySet<string>, LedgerError>
  /** Some that were made lately: a list that does not show them cannot be relied on. */
  readonly recent: Effect.Effect<ReadonlyArray<KnownJob>, LedgerError>
}

/**
 * The job a lost submission became, or none, which is only said once the lag of the list has passed, and only of a list that
 * gives no reason for doubt.
 */
export const findLostSubmission = Effect.fn("Adoption.findLost")(function* (
  scraper: Scraper["Service"],
  lost: LostSubmission,
  { isKnown, recent }: KnownJobs,
  options: AdoptionOptions
): Effect.fn.Return<JobListing | undefined, ScraperError | LedgerError | Ambiguous> {
  const trustworthyAt = lost.submittedAt + Duration.toMillis(options.lag)
  for (let looks = 1; ; looks++) {
    const askedAt = yield* Clock.currentTimeMillis
    const since = lost.submittedAt - Duration.toMillis(options.clockSkew)
    const listing = yield* wholeList(scraper, lost, since, options)
    const matches = listing.jobs.filter((job) => job.createdAt >= since && isSameRequest(lost, job))
    const known = yield* isKnown(matches.map(({ jobId }) => jobId))
    const candidates = matches.filter(({ jobId }) => !known.has(jobId))
    const [first, second] = candidates
    if (second !== undefined) {
      return yield* new Ambiguous({
        kind: lost.kind,
        url: lost.url,
        candidates: candidates.map(({ jobId }) => jobId)
      })
    }
    // One now may be two when the list has caught up: it is believed when none would be.
    if (askedAt >= trustworthyAt && looks >= options.looks) {
      if (first !== undefined) return first
      const doubt = listing.doubt ?? options.doubt ?? (yield* missingFrom(scraper, lost, yield* recent, options))
      if (doubt !== undefined) return yield* new Ambiguous({ kind: lost.kind, url: lost.url, candidates: [], doubt })
      return undefined
    }
    yield* Effect.sleep(options.pause)
  }
})

/** The list from an instant on. One that is too long to be read whole cannot settle anything. */
const wholeList = Effect.fnUntraced(function* (
  scraper: Scraper["Service"],
  lost: Pick<LostSubmission, "kind" | "url">,
  since: number,
  { maxPages }: AdoptionOptions
): Effect.fn.Return<Listing, ScraperError | Ambiguous> {
  const listing = yield* listJobs(scraper, lost.kind, { since, maxPages })
  if (!listing.isComplete) return yield* new Ambiguous({ kind: lost.kind, url: lost.url, candidates: [] })
  return listing
})

/** Says which job is missing from the list although the API knows it. */
const missingFrom = Effect.fnUntraced(function* (
  scraper: Scraper["Service"],
  lost: LostSubmission,
  recent: ReadonlyArray<KnownJob>,
  options: AdoptionOptions
): Effect.fn.Return<string | undefined, ScraperError | Ambiguous> {
  for (const { jobId, submittedAt } of recent) {
    const { jobs } = yield* wholeList(scraper, lost, submittedAt - Duration.toMillis(options.clockSkew), options)
    if (jobs.some((job) => job.jobId === jobId)) continue
    // A list may forget a job that is gone; one that can still be read is missing.
    const isThere = yield* Effect.match(readJob(scraper, lost.kind, jobId as JobId), {
      onSuccess: () => true,
      onFailure: () => false
    })
    if (isThere) return `it lacks job ${jobId}, which exists`
  }
  return undefined
})

const readJob = (scraper: Scraper["Service"], kind: ListedKind, jobId: JobId): Effect.Effect<unknown, ScraperError> => {
  const slice = { page: 1, pageSize: 1 }
  switch (kind) {
    case "crawl":
      return scraper.getCrawl(jobId, slice)
    case "batch":
      return scraper.getBatch(jobId, slice)
    case "extract":
      return scraper.getExtraction(jobId)
  }
}
