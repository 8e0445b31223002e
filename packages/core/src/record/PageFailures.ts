import { Schema } from "effect"
import type { PageRecord } from "./PageRecord.ts"

/** A server makes codes up: so many are counted by name, and so much of each is kept. The rest counts as {@link otherCode}. */
const mostCodes = 20
const longestCode = 64
/** URLs that stand for the pages of a code, and the longest one. */
const mostUrls = 3
const longestUrl = 300

/** The code of pages that ended as failed without one. */
const noCode = "NO_CODE"
const otherCode = "OTHER"

/** How many pages of a run ended with one error code, with the first few of their URLs. `http_status` is the target's, from 400 on. */
export const FailureCount = Schema.Struct({
  code: Schema.String,
  http_status: Schema.optionalKey(Schema.Int),
  count: Schema.Int,
  urls: Schema.Array(Schema.String)
})
export type FailureCount = typeof FailureCount.Type

/** A failed page, as far as it is counted. */
export type FailedPage = Pick<PageRecord, "jobId" | "key" | "url" | "errorCode" | "httpStatus">

/** The failed pages among records. What the contract refuses is no page, and is told of as a dead letter. */
export const failedPages = (records: ReadonlyArray<PageRecord>): ReadonlyArray<FailedPage> =>
  records
    .filter(({ refusal, status }) => status === "failed" && refusal === null)
    .map(({ errorCode, httpStatus, jobId, key, url }) => ({ jobId, key, url, errorCode, httpStatus }))

/** Counts failed pages by code, in bounded memory. */
export class FailureTally {
  readonly #counts = new Map<string, { code: string; httpStatus: number | undefined; count: number; urls: string[] }>()

  /** Counts pages. */
  count(pages: ReadonlyArray<FailedPage>): void {
    for (const { errorCode, httpStatus, url } of pages) {
      const status = httpStatus !== null && httpStatus >= 400 ? httpStatus : undefined
      this.#add(codeOf(errorCode), status, 1, [shownUrl(url)])
    }
  }

  /** Adds what was counted elsewhere. */
  add(counts: ReadonlyArray<FailureCount>): void {
    for (const { code, count, http_status: status, urls } of counts) this.#add(code, status, count, urls)
  }

  /** The counts, the largest first. */
  get all(): ReadonlyArray<FailureCount> {
    return [...this.#counts.values()]
      .sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : a.code > b.code ? 1 : 0))
      .map(({ code, count, httpStatus, urls }) => ({
        code,
        ...(httpStatus === undefined ? {} : { http_status: httpStatus }),
        count,
        urls: [...urls]
      }))
  }

  #add(code: string, httpStatus: number | undefined, count: number, urls: ReadonlyArray<string>): void {
    const name = `${code} ${httpStatus ?? ""}`
    const isKnown = this.#counts.has(name) || this.#counts.size < mostCodes
    const key = isKnown ? name : otherCode
    const entry = this.#counts.get(key) ?? {
      code: isKnown ? code : otherCode,
      httpStatus: isKnown ? httpStatus : undefined,
      count: 0,
      urls: []
    }
    entry.count += count
    for (const url of urls) if (entry.urls.length < mostUrls && !entry.urls.includes(url)) entry.urls.push(url)
    this.#counts.set(key, entry)
  }
}

/** The counts of failed pages. */
export const countFailures = (pages: ReadonlyArray<FailedPage>): ReadonlyArray<FailureCount> => {
  const tally = new FailureTally()
  tally.count(pages)
  return tally.all
}

/** The counts of several lists as one. */
export const mergeFailures = (...lists: ReadonlyArray<ReadonlyArray<FailureCount>>): ReadonlyArray<FailureCount> => {
  const tally = new FailureTally()
  for (const list of lists) tally.add(list)
  return tally.all
}

const codeOf = (code: string | null): string =>
  code === null || code.trim() === "" ? noCode : withoutControls(code.slice(0, longestCode))

/** A URL as a receipt shows it: without user name and password, and in one line. */
const shownUrl = (url: string): string => {
  const short = withoutControls(url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i, "$1"))
  return short.length <= longestUrl ? short : `${short.slice(0, longestUrl - 1)}…`.toWellFormed()
}

const withoutControls = (text: string): string => text.toWellFormed().replace(/\p{Cc}/gu, "\uFFFD")
