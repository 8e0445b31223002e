import { isTerminal } from "@sluice/contract"
import { Effect, Stream } from "effect"
import type { Ledger, LedgerError, RunSummary, Submission } from "../ledger/Ledger.ts"
import type { JobKind, JobSnapshot } from "../record/JobSnapshot.ts"

/** Work that may have been charged between two instants, epoch milliseconds: a job, a submission without one, or what else a receipt counts. */
export interface ChargedWork {
  /** The job, or what it is where there is none. */
  readonly jobId: string
  readonly kind: JobKind | null
  readonly url: string | null
  readonly from: number
  readonly to: number
  /** What it has been charged for certain, by what the API last told. */
  readonly charged: number
  /** What it may have been charged besides: it had not ended, or its answer was lost. */
  readonly maybe: number
}

/** What the submissions of a run, its jobs and its receipt say of what it was charged. */
export const chargedWorkOf = Effect.fnUntraced(function* (
  ledger: Ledger,
  run: RunSummary,
  now: number
): Effect.fn.Return<ReadonlyArray<ChargedWork>, LedgerError> {
  const { jobs } = yield* ledger.state(run.runId)
  const snapshots = new Map(jobs.map((job) => [job.jobId, job]))
  const submissions = yield* Stream.runCollect(ledger.submissions(run.runId))
  const end = run.finishedAt ?? now
  const works = submissions.flatMap((submission) => {
    const snapshot = snapshots.get(submission.jobId ?? "")
    snapshots.delete(submission.jobId ?? "")
    return submission.kind === "map" ? [] : [ofSubmission(submission, snapshot, end)]
  })
  // Jobs whose submission is not known, such as those of a run that was replayed.
  for (const job of snapshots.values()) if (job.kind !== "map") works.push(ofJob(job, run.startedAt, end))
  const counted = works.reduce((sum, { charged }) => sum + charged, 0)
  const claimed = run.receipt?.tokens.charged ?? 0
  if (claimed <= counted) return works
  const rest = { jobId: "(by the receipt alone)", kind: null, url: null, from: run.startedAt, to: end }
  return [...works, { ...rest, charged: claimed - counted, maybe: 0 }]
})

const ofJob = (
  { jobId, kind, status, tokensCharged, tokensReserved, url, observedAt }: JobSnapshot,
  from: number,
  end: number
) => {
  const hasEnded = isTerminal(status)
  return {
    jobId,
    kind,
    url,
    from,
    to: hasEnded ? Math.max(from, observedAt) : end,
    charged: tokensCharged,
    maybe: hasEnded ? 0 : tokensReserved
  }
}

const ofSubmission = (submission: Submission, job: JobSnapshot | undefined, end: number): ChargedWork => {
  const { jobId, kind, submittedAt, tokens, url } = submission
  if (job === undefined) {
    return { jobId: jobId ?? "(no job known)", kind, url, from: submittedAt, to: end, charged: 0, maybe: tokens }
  }
  const hasEnded = isTerminal(job.status)
  return { ...ofJob(job, submittedAt, end), maybe: hasEnded ? 0 : Math.max(0, tokens - job.tokensCharged) }
}
