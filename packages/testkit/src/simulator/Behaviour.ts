import type { OutputFormat } from "@sluice/contract"
import type { ErrorBody } from "./Faults.ts"
import type { Misbehaviour } from "./Misbehaviours.ts"

/** A refusal that an API may word in its own way. */
export type RefusalName = "wrong key" | "unknown job" | "malformed id" | "empty request" | "cancellation"

/** What becomes of a `page_size` above the maximum. */
export type Oversize = "refused" | "lowered" | "accepted"

/** What APIs do differently where the contract leaves it open. What is absent is as the simulator does it anyway. */
export interface Behaviour {
  /** How the key may be sent: both ways when absent. */
  readonly accepts?: ReadonlyArray<string>
  /** Refusals by what they are about. */
  readonly refusals?: Partial<Record<RefusalName, { readonly status: number; readonly body: ErrorBody }>>
  /** Headers of every answer. */
  readonly headers?: Readonly<Record<string, string>>
  /** Formats of a page when none is asked for, by kind of job. */
  readonly defaultFormats?: Partial<Record<"extract" | "batch" | "crawl", ReadonlyArray<OutputFormat>>>
  /** What a map says that it costs. */
  readonly mapTokens?: number
  readonly listsMaps?: boolean
  readonly listsSyncExtractions?: boolean
  /** How the list of extractions matches `url`. */
  readonly urlFilter?: "exact" | "part" | "ignored"
  /** A batch with an invalid URL is refused as a whole. */
  readonly refusesInvalidUrls?: boolean
  /** Rows of a page of a list, by kind, when the request does not say. */
  readonly pageSizes?: Readonly<Record<string, number>>
  /** `page_size` of lists above 100, */
  readonly oversizeLists?: Oversize
  /** and of results above 50. */
  readonly oversizeResults?: Oversize
  /** A page past the end of a list is refused, */
  readonly refusesPastList?: boolean
  /** and one past the end of results. */
  readonly refusesPastResults?: boolean
  /** `page_count` of a list without jobs. */
  readonly emptyPageCount?: number
  /** What is changed in single answers besides. */
  readonly rules?: ReadonlyArray<Misbehaviour>
}
