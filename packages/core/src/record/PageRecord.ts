import { Schema } from "effect"
import { hash64 } from "./hash64.ts"

/** How a page ended. */
export const PageStatus = Schema.Literals(["completed", "failed", "cancelled"])
export type PageStatus = typeof PageStatus.Type

/** Plain JSON with members. */
export type JsonObject = { readonly [member: string]: Schema.Json }

/** Why a result of the API is no page to load, and what it was. */
export interface UrlRejection {
  /** It is not of the shape the contract gives it. */
  readonly reason: "contract"
  /** Where it departs from the contract, without values. */
  readonly detail: string
  /** The result as JSON. */
  readonly raw: string
  /** It does not say which page it is, or how that ended: the job's counters may count it or not. */
  readonly uncountable?: true
}

/**
 * One terminal page with what came with it: the record every source emits and every sink loads. A failed page has
 * `errorCode` and `errorMessage` and no content.
 *
 * `durationMs` is in milliseconds; `bytes` is about what the content weighs. A record whose `refusal` is not null is no page: only
 * its job, key, URL, place and status mean something.
 *
 * @example
 * ```ts
 * import type { PageRecord } from "@sluice/core"
 *
 * const title = ({ markdown }: PageRecord): string | undefined => markdown?.match(/^# (.+)$/m)?.[1]
 * ```
 */
export interface PageRecord {
  readonly jobId: string
  /** What is the same page within a job: see {@link pageKey}. */
  readonly key: bigint
  readonly url: string
  /** 0-based place in the request, for jobs made of a list of URLs. */
  readonly inputIndex: number | null
  readonly parentUrl: string | null
  /** The seed page is 1. Null where the job has no depth. */
  readonly depth: number | null
  readonly status: PageStatus
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly markdown: string | null
  readonly html: string | null
  /** Absolute URLs in document order. */
  readonly links: ReadonlyArray<string>
  readonly httpStatus: number | null
  readonly durationMs: number | null
  readonly retryCount: number | null
  readonly tokensCharged: number | null
  /**
   * Members of the result that the contract does not know, and values of members it knows that could not be read, by name; those
   * of its `data` and `metadata` are in members of those names. Null where there are none.
   */
  readonly extra: JsonObject | null
  /** The members whose values could not be read, such as `metadata.duration_ms`. There where there are any. */
  readonly unread?: ReadonlyArray<string>
  /** Where it is not null, all but job, key, URL, place and status is empty: no transform sees the record, a sink sets it aside. */
  readonly refusal: UrlRejection | null
  readonly bytes: number
  /** The result it was made of, as the API gave it. There while its run keeps those: see `Vault`. */
  readonly answer?: Schema.Json
}

/**
 * The 64-bit identity of a page within a job: the first eight bytes of the SHA-256 of its URL, signed. A URL that a list
 * names more than once has a key for each occurrence (counted from 0). Two URLs of one job share a key once in some
 * 10^8 crawls of a million pages; the job's own counters would show it, as an incomplete run.
 */
export const pageKey = (url: string, occurrence = 0): bigint => hash64(occurrence === 0 ? url : `${url}\n${occurrence}`)

/** About what a record weighs in memory and on the wire, in bytes: what bounds of segments and buffers count. */
export const weigh = (record: Omit<PageRecord, "bytes">): number => {
  let bytes = 200 + record.url.length + (record.markdown?.length ?? 0) + (record.html?.length ?? 0)
  for (const link of record.links) bytes += link.length + 16
  if (record.extra !== null) bytes += JSON.stringify(record.extra).length
  if (record.refusal !== null) bytes += record.refusal.raw.length
  return bytes
}
