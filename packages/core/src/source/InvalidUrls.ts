import type { JobId } from "@sluice/contract"
import { Clock, Effect } from "effect"
import type { RefusedUrl } from "../api/refusedUrls.ts"
import { type PageRecord, pageKey } from "../record/PageRecord.ts"
import { batchedRecord } from "./batchedRecord.ts"
import type { RefusalCount } from "./RefusalCount.ts"
import type { RefusedPage } from "./refusedPages.ts"
import { SourceError } from "./SourceError.ts"
import { CurrentSubmissionLog } from "./SubmissionLog.ts"
import { normalizeUrl } from "./sameUrl.ts"

/** The URLs that go into one batch. */
export interface BatchPart {
  readonly urls: ReadonlyArray<string>
  /** For each place, how often the same URL is before it. */
  readonly occurrences: Uint32Array
  readonly refusals: RefusalCount
}

/** The URLs a batch was made without: the API names them when it makes the job, and in answers about it. */
export class InvalidUrls {
  /** By their places in the part. */
  readonly pages = new Map<number, RefusedPage>()
  readonly #part: BatchPart
  readonly #placesOf = new Map<string, Array<number>>()
  #fresh = new Map<number, RefusedPage>()
  readonly #first: ReadonlyArray<RefusedUrl>

  /** `places` are those that were sent. */
  constructor(part: BatchPart, places: ReadonlyArray<number>, first: ReadonlyArray<RefusedUrl>) {
    this.#part = part
    this.#first = first
    for (const place of places) {
      const url = normalizeUrl(part.urls[place]!)
      this.#placesOf.set(url, [...(this.#placesOf.get(url) ?? []), place])
    }
  }

  /** Takes in those the API named when it made the job. */
  get tell(): Effect.Effect<void> {
    return this.add(this.#first)
  }

  /** Takes in what an answer names, and tells of what is new. A URL is refused wherever it is in the part. */
  add(named: ReadonlyArray<RefusedUrl>): Effect.Effect<void> {
    return Effect.forEach(
      named,
      ({ code, message, url }) => {
        const places = (this.#placesOf.get(normalizeUrl(url)) ?? []).filter((place) => !this.pages.has(place))
        if (places.length === 0) return Effect.void
        const page = {
          error_code: code ?? "INVALID_URL",
          error_message: message ?? "The API did not take this URL into the batch"
        }
        for (const place of places) {
          this.pages.set(place, page)
          this.#fresh.set(place, page)
        }
        return Effect.forEach(places, () => this.#part.refusals.untaken(url, page.error_message), { discard: true })
      },
      { discard: true }
    )
  }

  /** Those that came to be known since this was last asked. */
  takeNew(): ReadonlyMap<number, RefusedPage> {
    const fresh = this.#fresh
    this.#fresh = new Map()
    return fresh
  }
}

/** The records of URLs that were refused, but for those that were committed before, under a job id of ours. */
export const refusedRecords = Effect.fnUntraced(function* (
  { occurrences, urls }: BatchPart,
  jobId: JobId,
  pages: ReadonlyMap<number, RefusedPage>
): Effect.fn.Return<ReadonlyArray<PageRecord>, SourceError> {
  if (pages.size === 0) return []
  const submissionLog = yield* CurrentSubmissionLog
  const committed = yield* submissionLog
    .committed(jobId)
    .pipe(Effect.mapError((reason) => new SourceError({ source: "batch", reason })))
  const records: Array<PageRecord> = []
  for (const [inputIndex, page] of pages) {
    const url = urls[inputIndex]!
    const key = pageKey(url, occurrences[inputIndex])
    if (committed.has(key)) continue
    const answer = { input_index: inputIndex, url, status: "failed", ...page, data: null, metadata: null }
    const record = batchedRecord({ jobId, key, url, inputIndex, status: "failed" }, answer)
    records.push(submissionLog.keepsRawResults === true ? { ...record, answer } : record)
  }
  yield* submissionLog.progress({
    jobId,
    kind: "batch",
    url: urls[0]!,
    status: "completed",
    discovered: pages.size,
    completed: 0,
    failed: pages.size,
    cancelled: 0,
    tokensCharged: 0,
    tokensReserved: 0,
    observedAt: yield* Clock.currentTimeMillis
  })
  return records
})
