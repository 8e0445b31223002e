import { isTerminal } from "@sluice/contract"
import type { Submission } from "../../ledger/Ledger.ts"
import type { JobSnapshot } from "../../record/JobSnapshot.ts"
import { isOwnId } from "../../source/ownJobId.ts"
import type { Ask, Asks } from "../../source/SourceKind.ts"

/** What is known of a run that is resumed. */
export interface KnownWork {
  readonly submissions: ReadonlyArray<Submission>
  readonly jobs: ReadonlyArray<JobSnapshot>
}

/** What a run may still be charged for: by jobs it has asked for, and by those it has not. */
export interface OpenCost {
  /** Jobs that were asked for can still cost so much, */
  readonly asked: number
  /** after they have cost so much. */
  readonly charged: number
  /** Whether the answer to a submission was lost: it may have become a job, or may be made again. */
  readonly hasLost: boolean
  /** What was not asked for yet; `further` where more is asked for, in a number that is not known. */
  readonly unasked: ReadonlyArray<Ask>
  readonly further: Asks["later"]
}

/** Rounds of a batch that was refused for some of its URLs have ordinals of their own, so far apart. */
const roundStride = 100_000_000

/** Weighs what a source asks for against what a run has asked for. */
export const openCost = ({ known, later }: Asks, { jobs, submissions }: KnownWork): OpenCost => {
  const asks = [...known]
  const snapshots = new Map(jobs.map((job) => [job.jobId, job]))
  const made = new Set<number>()
  let asked = 0
  let charged = 0
  for (const { jobId, kind, ordinal, tokens } of submissions) {
    const place = ordinal % roundStride
    // What the API refused is asked for again without it, in the rounds of a batch alone.
    if (jobId === null || !isOwnId(jobId) || kind !== "batch") made.add(place)
    const granted = Math.min(tokens, asks[place]?.tokens ?? tokens)
    const snapshot = jobId === null ? undefined : snapshots.get(jobId)
    charged += snapshot?.tokensCharged ?? 0
    if (jobId !== null && (isOwnId(jobId) || (snapshot !== undefined && isTerminal(snapshot.status)))) continue
    asked += Math.max(0, granted - (snapshot?.tokensCharged ?? 0))
  }
  const hasLost = submissions.some(({ jobId, tokens }) => jobId === null && tokens > 0)
  return { asked, charged, hasLost, unasked: asks.filter((_, place) => !made.has(place)), further: later }
}
