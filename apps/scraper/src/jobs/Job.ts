import { randomUUID } from "node:crypto"
import { isTerminal, JobStatus } from "@sluice/contract"
import { Clock, DateTime, Effect, Schema } from "effect"
import type { Settings } from "../ScraperConfig.ts"
import { jobRetention } from "./retention.ts"

/** What every kind of job has. Times are milliseconds since the epoch; `seq` orders jobs of the same millisecond. */
export const jobFields = {
  id: Schema.String,
  owner: Schema.String,
  seq: Schema.Int,
  status: JobStatus,
  createdAt: Schema.Int,
  completedAt: Schema.NullOr(Schema.Int)
}

/** The part of a job that lists need. */
export interface Job {
  readonly id: string
  readonly owner: string
  readonly seq: number
  readonly status: JobStatus
  readonly createdAt: number
}

/** A fresh id, random so that it cannot be guessed. */
export const newJobId = Effect.sync(() => randomUUID())

/** Now, in whole milliseconds. */
export const nowMillis = Effect.map(Clock.currentTimeMillis, Math.round)

/** A moment as the contract writes it. */
export const timestamp = (millis: number): DateTime.Utc => DateTime.makeUnsafe(millis)

/** When a job was made and ended, as the contract writes it. */
export const timesOf = (job: { readonly createdAt: number; readonly completedAt: number | null }) => ({
  created_at: timestamp(job.createdAt),
  completed_at: job.completedAt === null ? null : timestamp(job.completedAt)
})

/** The filters every job list has; both dates are inclusive and about the creation. */
export interface JobFilter {
  readonly status?: JobStatus
  readonly start_date?: DateTime.Utc
  readonly end_date?: DateTime.Utc
  readonly page?: number
  readonly page_size?: number
}

/** The jobs of an owner that pass the filters, newest first. */
export const matching = <J extends Job>(jobs: Iterable<J>, owner: string, filter: JobFilter): ReadonlyArray<J> => {
  const from = filter.start_date?.epochMilliseconds ?? Number.NEGATIVE_INFINITY
  const to = filter.end_date?.epochMilliseconds ?? Number.POSITIVE_INFINITY
  return [...jobs]
    .filter(
      (job) =>
        job.owner === owner &&
        (filter.status === undefined || job.status === filter.status) &&
        job.createdAt >= from &&
        job.createdAt <= to
    )
    .sort((a, b) => b.seq - a.seq)
}

/** One page of rows with the members of the contract's lists. No rows are no pages; past the end is an empty page. */
export const pageOf = <A>(rows: ReadonlyArray<A>, page: number, pageSize: number) => ({
  rows: rows.slice((page - 1) * pageSize, page * pageSize),
  page,
  page_size: pageSize,
  page_count: Math.ceil(rows.length / pageSize)
})

/** How the jobs of a kind are kept. */
export const jobFolder = (settings: Settings) => ({
  manifest: "job.json",
  retain: jobRetention(settings),
  endedAt: ({ completedAt, createdAt, status }: Job & { readonly completedAt: number | null }) =>
    isTerminal(status) ? (completedAt ?? createdAt) : undefined
})

/** How many jobs of a kind wait, and how many are in work. */
export interface OpenJobs {
  readonly queued: number
  readonly processing: number
}
