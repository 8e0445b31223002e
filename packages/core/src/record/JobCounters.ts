import { JobStatus } from "@sluice/contract"
import { Schema } from "effect"
import { JobKind, type JobSnapshot } from "./JobSnapshot.ts"

/** A snapshot of a job as it is stored, under the names of the columns of `token_summaries`. */
export const JobCounters = Schema.Struct({
  job_id: Schema.String,
  kind: JobKind,
  url: Schema.String,
  status: JobStatus,
  pages_discovered: Schema.Int,
  pages_completed: Schema.Int,
  pages_failed: Schema.Int,
  pages_cancelled: Schema.Int,
  tokens_charged: Schema.Int,
  tokens_reserved: Schema.Int,
  /** Epoch milliseconds. */
  observed_at: Schema.Finite
})
export type JobCounters = typeof JobCounters.Type

/** A snapshot as it is stored. */
export const countersOf = (job: JobSnapshot): JobCounters => ({
  job_id: job.jobId,
  kind: job.kind,
  url: job.url,
  status: job.status,
  pages_discovered: job.discovered,
  pages_completed: job.completed,
  pages_failed: job.failed,
  pages_cancelled: job.cancelled,
  tokens_charged: job.tokensCharged,
  tokens_reserved: job.tokensReserved,
  observed_at: job.observedAt
})

/** What {@link countersOf} stored. */
export const snapshotOf = (job: JobCounters): JobSnapshot => ({
  jobId: job.job_id,
  kind: job.kind,
  url: job.url,
  status: job.status,
  discovered: job.pages_discovered,
  completed: job.pages_completed,
  failed: job.pages_failed,
  cancelled: job.pages_cancelled,
  tokensCharged: job.tokens_charged,
  tokensReserved: job.tokens_reserved,
  observedAt: job.observed_at
})
