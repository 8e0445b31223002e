import type { JobSnapshot } from "./JobSnapshot.ts"
import type { PageRecord } from "./PageRecord.ts"

/** The four tables every sink offers, in the order they are derived from a segment. */
export const datasets = ["pages", "links", "page_metadata", "token_summaries"] as const
export type Dataset = (typeof datasets)[number]

/** A number for each dataset, rows as a rule. */
export type DatasetCounts = { readonly [D in Dataset]: number }

/** The rows a sink makes of a segment's records. */
export type WrittenRows = Omit<DatasetCounts, "token_summaries">

/** Nothing in any dataset. */
export const noRows: DatasetCounts = { pages: 0, links: 0, page_metadata: 0, token_summaries: 0 }

/** Adds two counts dataset by dataset. */
export const addRows = (a: DatasetCounts, b: DatasetCounts): DatasetCounts => ({
  pages: a.pages + b.pages,
  links: a.links + b.links,
  page_metadata: a.page_metadata + b.page_metadata,
  token_summaries: a.token_summaries + b.token_summaries
})

/** What closes a segment, whichever comes first. */
export interface SegmentBounds {
  readonly records: number
  /** About how many bytes its records weigh. */
  readonly bytes: number
  /** How long its first record may wait. */
  readonly delayMs: number
}

/**
 * A bounded batch of records, the unit of writing and of commit. Its identity is run, epoch and sequence number. `pages`,
 * `links` and `page_metadata` come from `records`; `token_summaries` from `jobs`, which holds the latest snapshot of each
 * job that has moved since the segment before (and of every job its records belong to). `records` may be empty: the last
 * segment of a run can carry snapshots alone. Within a segment no two records share job and key.
 */
export interface Segment {
  readonly runId: string
  readonly epoch: number
  readonly seq: number
  readonly records: ReadonlyArray<PageRecord>
  readonly jobs: ReadonlyArray<JobSnapshot>
  readonly bytes: number
  /** Names of members the contract does not know, first met since the segment before. */
  readonly drift?: ReadonlyArray<string>
}
