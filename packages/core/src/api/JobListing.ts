import type { JobId, JobStatus } from "@sluice/contract"

/** A row of a job list, of whatever kind: what a lost submission is recognised by. */
export interface JobListing {
  readonly jobId: JobId
  readonly status: JobStatus
  /** Epoch milliseconds. */
  readonly createdAt: number
  /** Epoch milliseconds; null where it has not ended, or the list does not tell when. */
  readonly endedAt: number | null
  /** Pages that completed; null in lists that do not count them. */
  readonly completed: number | null
  /** The URL asked for; null in lists that do not name it. */
  readonly url: string | null
  /** How many URLs were accepted; null in lists that do not count them. */
  readonly accepted: number | null
  /** What the job was asked to do, as far as the list tells. */
  readonly config: Readonly<Record<string, unknown>>
}

/** A page of a job list: how many pages the API says there are, and how many jobs a full one holds. */
export interface JobListPage {
  readonly jobs: ReadonlyArray<JobListing>
  readonly pages: number
  readonly pageSize: number
}
