import { Clock, Duration, Effect, Schema } from "effect"
import type { JobListing } from "../api/JobListing.ts"
import type { ListedKind, Scraper } from "../api/Scraper.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import { canonicalJson } from "../record/canonicalJson.ts"

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
export interface LostSubmission {
  readonly kind: ListedKind
  readonly url: string
  readonly body: unknown
  /** Epoch milliseconds of the intent. */
  readonly submittedAt: number
}

/** More than one job could be the lost submission, or the list is too long to be sure. Somebody has to decide. */
export class Ambiguous extends Schema.TaggedError<Ambiguous>()("Ambiguous", {
  kind: Schema.String,
  url: Schema.String,
  candidates: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return this.candidates.length === 0
      ? `the answer to a submission (${this.kind} of ${this.url}) was lost, and the API's job list is too long to tell whether it took effect`
      : `the answer to a submission (${this.kind} of ${this.url}) was lost, and ${this.candidates.length} jobs could be it: ${this.candidates.join(", ")}`
  }
}

/**
 * The job a lost submission became, or none, which is only said once the lag of the list has passed. `isKnown` answers which
 * jobs belong to other submissions.
 */
export const findLost = Effect.fn("Adoption.findLost")(function* (
  scraper: Scraper["Service"],
  lost: LostSubmission,
  isKnown: (jobIds: ReadonlyArray<string>) => Effect.Effect<ReadonlySet<string>, LedgerError>,
  options: AdoptionOptions
): Effect.fn.Return<JobListing | undefined, ScraperError | LedgerError | Ambiguous> {
  const trustworthyAt = lost.submittedAt + Duration.toMillis(options.lag)
  for (let looks = 1; ; looks++) {
    const askedAt = yield* Clock.currentTimeMillis
    const candidates = yield* look(scraper, lost, isKnown, options)
    const [first, second] = candidates
    if (second !== undefined) {
      return yield* new Ambiguous({
        kind: lost.kind,
        url: lost.url,
        candidates: candidates.map(({ jobId }) => jobId)
      })
    }
    // One now may be two when the list has caught up: it is believed when none would be.
    if (askedAt >= trustworthyAt && looks >= options.looks) return first
    yield* Effect.sleep(options.pause)
  }
})

const look = Effect.fnUntraced(function* (
  scraper: Scraper["Service"],
  lost: LostSubmission,
  isKnown: (jobIds: ReadonlyArray<string>) => Effect.Effect<ReadonlySet<string>, LedgerError>,
  options: AdoptionOptions
) {
  const since = lost.submittedAt - Duration.toMillis(options.clockSkew)
  const matches = new Map<string, JobListing>()
  for (let page = 1, pages = 1; page <= pages; page++) {
    if (page > options.maxPages) return yield* new Ambiguous({ kind: lost.kind, url: lost.url, candidates: [] })
    const list = yield* scraper.jobs(lost.kind, { since, page })
    pages = list.pages
    for (const job of list.jobs) {
      if (job.createdAt >= since && isMatch(lost, job)) matches.set(job.jobId, job)
    }
  }
  const known = yield* isKnown([...matches.keys()])
  return [...matches.values()].filter(({ jobId }) => !known.has(jobId))
})

const Body = Schema.Record(Schema.String, Schema.Unknown)
const isBody = Schema.is(Body)

/** Whether a listed job may be the submission: whatever both name must agree. */
const isMatch = (lost: LostSubmission, job: JobListing): boolean => {
  if (job.url !== null && !isSameUrl(job.url, lost.url)) return false
  const body = isBody(lost.body) ? lost.body : {}
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

/** The API may answer with a URL in another spelling. */
const isSameUrl = (a: string, b: string): boolean => a === b || spelt(a) === spelt(b)

const spelt = (url: string): string => {
  if (!URL.canParse(url)) return url
  const parsed = new URL(url)
  parsed.hash = ""
  return parsed.href
}
