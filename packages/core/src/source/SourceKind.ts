import type { JobId, OutputFormat } from "@sluice/contract"
import type { Effect, Stream } from "effect"
import type { Scraper } from "../api/Scraper.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import type { JobKind, JobSnapshot } from "../record/JobSnapshot.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import type { RequirableField } from "../record/Tally.ts"
import type { ReaderOptions } from "./JobReader.ts"
import type { SourceError } from "./SourceError.ts"

/** The most completed pages that a setting allows, and the setting. */
export type PageBound = readonly [most: number, setting: string]

/** The page of a stored result, as far as it is known without the result. */
export type StoredPage = Pick<PageRecord, "jobId" | "key" | "url"> & Partial<Pick<PageRecord, "inputIndex">>

/** A submission that a source makes, and the most tokens it asks for. */
export interface Ask {
  readonly kind: JobKind
  readonly tokens: number
}

/** What a source asks for: its submissions in the order of their ordinals, and the kind of those whose number shows only later. */
export interface Asks {
  readonly known: Iterable<Ask>
  readonly later?: JobKind
}

/** The counters of a job that an audit compares. */
export type JobTotals = Pick<JobSnapshot, "status" | "tokensCharged" | "completed" | "failed" | "cancelled">

/**
 * All that the engine knows about one kind of job: crawl, extract, batch or map. A new kind is one such value and one line in
 * `sourceKinds.ts`.
 */
export interface SourceKind<Options> {
  /** The records of a source of this kind. Running the stream pays for the work. */
  readonly stream: (options: Options, reader: ReaderOptions) => Stream.Stream<PageRecord, SourceError, Scraper>
  /** The first page that a source asks for, for a dry load. Lists of URLs are counted from 0, a crawl is not (null). */
  readonly firstPage: (options: Options) => {
    readonly url: string
    readonly formats: ReadonlyArray<OutputFormat>
    readonly inputIndex: 0 | null
  }
  /** What a source asks for, for a plan. Asks for nothing. */
  readonly asks: (options: Options) => Asks
  /** Bounds on the completed pages of a source. */
  readonly pageBounds: (options: Options) => readonly [PageBound, ...ReadonlyArray<PageBound>]
  /** Why no page of a source can have a field; undefined where one can. */
  readonly whyAbsent: (options: Options, field: RequirableField) => string | undefined
  /** Whether a source asks for content of pages, and not for their URLs alone. Content costs tokens. */
  readonly hasContent: (options: Options) => boolean
  /**
   * The limit that a job has reached, or `none named`: which pages it skipped is chance then, and servers have limits of their own
   * where none is named. Undefined where it found every page.
   */
  readonly limitReached: (
    options: Options,
    jobs: ReadonlyArray<Pick<JobSnapshot, "discovered">>
  ) => number | "none named" | undefined
  /** Whether a job is one page: where such a job fails, its page failed, and not the run. */
  readonly isOnePage: boolean
  /** The record of a stored raw result, read again. Undefined where it is no result of this kind. */
  readonly recordOf: (page: StoredPage, raw: unknown) => PageRecord | undefined
  /** A job's totals as the API has them now. Absent where the API keeps no job. */
  readonly totals?: (scraper: Scraper["Service"], jobId: JobId) => Effect.Effect<JobTotals, ScraperError>
}
