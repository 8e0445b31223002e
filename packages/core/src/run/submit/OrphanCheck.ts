import { Effect } from "effect"
import type { JobListing } from "../../api/JobListing.ts"
import type { ListedKind, Scraper } from "../../api/Scraper.ts"
import type { ScraperError } from "../../api/ScraperError.ts"
import type { Ledger, LedgerError } from "../../ledger/Ledger.ts"
import type { LedgerDoubt } from "../../ledger/RunMark.ts"
import type { ListedRequest } from "../../source/listedJobs.ts"
import {
  describeJob,
  jobsOfRequest,
  OrphanedJobs,
  type OrphanOptions,
  type RecentJobs,
  readRecentJobs,
  withoutOthers
} from "../../source/Orphans.ts"
import type { KeyedMutex } from "./KeyedMutex.ts"

/** What somebody has decided about jobs that may be this run's. */
export type OrphanDecision = { readonly adopt: string } | "adopt all" | "resubmit"

/** What an orphan check is made of. */
export interface OrphanCheckOptions {
  readonly scraper: Scraper["Service"]
  readonly ledger: Ledger
  readonly doubt: LedgerDoubt
  readonly decision: Exclude<OrphanDecision, "resubmit"> | undefined
  readonly orphans: OrphanOptions
  readonly withLock: KeyedMutex
  readonly warn: (sentence: string) => Effect.Effect<void>
}

/** The job that a submission is to take in place of making one: its id, and when it was made where that is known. */
export interface AdoptedJob {
  readonly jobId: string
  readonly createdAt: number | undefined
}

/**
 * Looks for jobs of the same request that no run explains, before a submission is made by a run whose ledger may lack some. Fails
 * with what there is where nobody has decided about it.
 */
export interface OrphanCheck {
  readonly find: (
    request: ListedRequest
  ) => Effect.Effect<AdoptedJob | undefined, ScraperError | LedgerError | OrphanedJobs>
  /** Tells of lists that could not tell, once something was submitted in spite of them. */
  readonly tell: Effect.Effect<void>
}

/** For a ledger that is not doubted. */
export const noOrphanCheck: OrphanCheck = { find: () => Effect.succeed(undefined), tell: Effect.void }

/** A check that reads each list once, however many submissions ask. */
export const makeOrphanCheck = (options: OrphanCheckOptions): OrphanCheck => {
  const { decision, doubt, ledger, orphans, scraper, withLock } = options
  const lists = new Map<ListedKind, RecentJobs>()
  const untold: Array<string> = []
  let isAdopted = false

  const recentJobs = (kind: ListedKind): Effect.Effect<RecentJobs, ScraperError> =>
    withLock(
      `list of ${kind}`,
      Effect.suspend(() => {
        const known = lists.get(kind)
        if (known !== undefined) return Effect.succeed(known)
        return Effect.map(readRecentJobs(scraper, kind, orphans, doubt.is_certain), (read) => {
          lists.set(kind, read)
          if (read.doubt !== undefined && !doubt.is_certain) {
            untold.push(
              `${doubt.why}, and the API's job list cannot tell whether its ${kind} jobs have been paid for before: ${read.doubt}`
            )
          }
          return read
        })
      })
    )

  const find: OrphanCheck["find"] = Effect.fnUntraced(function* (request) {
    const { doubt: inList, jobs } = yield* recentJobs(request.kind)
    const same = jobsOfRequest(request, jobs)
    const known = same.length === 0 ? new Set() : yield* ledger.findKnown(same.map(({ jobId }) => jobId))
    const unexplained = same.filter(({ jobId }) => !known.has(jobId))
    const candidates = yield* withoutOthers(scraper, request, unexplained, orphans)
    const { kind, url } = request
    const found = { kind, url, suspicion: doubt.why, candidates: candidates.map(describeJob) }
    const [newest] = candidates
    if (decision === "adopt all" && newest !== undefined) return adopted(newest)
    if (typeof decision === "object") {
      const named = candidates.find(({ jobId }) => jobId === decision.adopt)
      if (named !== undefined) return adopted(named)
      // A list that cannot show it cannot contradict who has decided.
      if (newest === undefined && inList !== undefined && !isAdopted) {
        isAdopted = true
        return { jobId: decision.adopt, createdAt: undefined }
      }
    }
    if (newest !== undefined) return yield* new OrphanedJobs(found)
    if (inList === undefined || !doubt.is_certain) return undefined
    return yield* new OrphanedJobs({ ...found, doubt: inList })
  })
  const tell = Effect.suspend(() => Effect.forEach(untold.splice(0), options.warn, { discard: true }))
  return { find, tell }
}

/** A list need not tell when a job was made. */
const adopted = ({ createdAt, jobId }: JobListing): AdoptedJob => ({
  jobId,
  createdAt: Number.isFinite(createdAt) ? createdAt : undefined
})
