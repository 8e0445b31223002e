import { type BatchAnswer, BatchRequest } from "@sluice/contract"
import { Clock, Effect, Schema, Stream } from "effect"
import { Scraper } from "../api/Scraper.ts"
import type { JobSnapshot } from "../record/JobSnapshot.ts"
import { type PageRecord, pageKey } from "../record/PageRecord.ts"
import { batchedRecord } from "./batchedRecord.ts"
import { type BatchPart, InvalidUrls, refusedRecords } from "./InvalidUrls.ts"
import { type Recognised, recognise } from "./JobItem.ts"
import { type EndedRow, type ReaderOptions, readerDefaults, readJob } from "./JobReader.ts"
import { refusedBy } from "./ownJobId.ts"
import { RefusalCount } from "./RefusalCount.ts"
import type { SourceError } from "./SourceError.ts"
import type { SourceKind } from "./SourceKind.ts"

import { isSameUrl } from "./sameUrl.ts"
import { Formats, PageHeaders, PageProxy, PageUrl } from "./sourceOptions.ts"
import { splitResults } from "./splitResults.ts"
import { submitBatch } from "./submitBatch.ts"
import { whyFormatAbsent } from "./whyFormatAbsent.ts"

/** URLs a single batch job takes. */
const largestBatch = 1000

const { urls: _, ...shared } = BatchRequest.fields

/** What a batch is asked besides its URLs. `batch_size` is how many URLs go into one job, at most 1,000. */
export const batchFields = {
  ...shared,
  headers: Schema.optionalKey(PageHeaders),
  proxy: Schema.optionalKey(PageProxy),
  formats: Formats,
  batch_size: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: largestBatch })).pipe(
    Schema.withDecodingDefaultTypeKey(Effect.succeed(largestBatch))
  )
}

/** URLs to extract by batch jobs, one job after the other. A URL named twice is extracted twice. */
export const BatchOptions = Schema.Struct({
  urls: Schema.Array(PageUrl).check(Schema.isMinLength(1)),
  ...batchFields
}).annotate({ identifier: "BatchOptions", description: "Extract a list of URLs in batch jobs." })
export type BatchOptions = typeof BatchOptions.Type

const decode = Schema.decodeUnknownSync(BatchOptions, { onExcessProperty: "error" })

/** Batch jobs as a source of a pipeline. Throws a `SchemaError` on options that make no sense. */
const make = (options: typeof BatchOptions.Encoded) => ({ batch: decode(options) }) as const

/** The pages of a list of URLs, each once, as they end. Running the stream pays for them. */
const records = (
  options: typeof BatchOptions.Encoded,
  reader: Partial<ReaderOptions> = {}
): Stream.Stream<PageRecord, SourceError, Scraper> =>
  Stream.suspend(() => stream(decode(options), { ...readerDefaults, ...reader }))

/**
 * Extracting a list of URLs by batch jobs: `Batch.make` for a pipeline, `Batch.records` for a plain stream.
 *
 * A batch job takes 1,000 URLs; more become several jobs, one after the other. `make` throws a `SchemaError` on invalid options.
 * The stream fails with a `SourceError`; running it twice pays twice, and stopping it early leaves the job running.
 *
 * @example
 * ```ts
 * import { Batch } from "@sluice/core"
 * import { Console, Stream } from "effect"
 *
 * const urls = ["https://example.com/a", "https://example.com/b"]
 * const source = Batch.make({ urls, formats: ["markdown", "html"] })
 * const statuses = Stream.runForEach(Batch.records({ urls }), ({ status, url }) => Console.log(url, status))
 * ```
 */
export const Batch = { make, records }

/** How many URLs go into each job of a list. */
const sizesOf = ({ batch_size: size, urls }: Pick<BatchOptions, "batch_size" | "urls">): ReadonlyArray<number> =>
  Array.from({ length: Math.ceil(urls.length / size) }, (_, part) => Math.min(size, urls.length - part * size))

/** @internal `firstOrdinal` is the submission number of the first job. */
export const stream = (
  options: BatchOptions,
  reader: ReaderOptions,
  firstOrdinal = 0
): Stream.Stream<PageRecord, SourceError, Scraper> => {
  const { batch_size: size, urls, ...request } = options
  return Stream.suspend(() => {
    const refusals = new RefusalCount("batch", urls.length)
    return Stream.range(0, sizesOf(options).length - 1).pipe(
      Stream.flatMap((part) =>
        readPart(
          { ...request, urls: urls.slice(part * size, (part + 1) * size) },
          firstOrdinal + part,
          reader,
          refusals
        )
      ),
      Stream.concat(Stream.fromEffectDrain(refusals.judge))
    )
  })
}

const readPart = (request: BatchRequest, ordinal: number, options: ReaderOptions, refusals: RefusalCount) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const scraper = yield* Scraper
      const { job, refused } = yield* submitBatch(request, ordinal, refusals)
      const part = { urls: request.urls, occurrences: countOccurrences(request.urls), refusals }
      const before = Stream.fromIterable(refused).pipe(
        Stream.flatMap(({ jobId, pages }) => Stream.fromIterableEffect(refusedRecords(part, jobId, pages)))
      )
      if (job === undefined) return before
      const { jobId, places, sent } = job
      const invalid = new InvalidUrls(part, places, sent?.invalid ?? [])
      const url = part.urls[places[0] ?? 0]!
      const pages = readJob(
        {
          source: "batch",
          jobId,
          fetch: (slice) =>
            Effect.gen(function* () {
              const answer = yield* scraper.getBatch(jobId, slice)
              yield* invalid.add((answer.invalid_urls ?? []).map((url) => ({ url, code: null, message: null })))
              const results = splitResults(answer.results, (item, said) => toRow(jobId, item, said, part, places))
              const accepted = sent === undefined ? undefined : sent.urls - invalid.pages.size
              const snapshot = batchSnapshot(answer, url, yield* Clock.currentTimeMillis, accepted)
              return { snapshot, rows: answer.results.length, ...results }
            }),
          cancel: scraper.cancelBatch(jobId)
        },
        options
      )
      yield* invalid.tell
      const untaken = () => Stream.fromIterableEffect(refusedRecords(part, refusedBy(jobId), invalid.takeNew()))
      return Stream.concat(before, Stream.suspend(untaken)).pipe(
        Stream.concat(pages),
        Stream.concat(Stream.suspend(untaken))
      )
    })
  )

/** For each place of a list, how often the same URL occurs before it. */
const countOccurrences = (urls: ReadonlyArray<string>): Uint32Array => {
  const counts = new Map<string, number>()
  return Uint32Array.from(urls, (url) => {
    const before = counts.get(url) ?? 0
    counts.set(url, before + 1)
    return before
  })
}

/**
 * The counters of an answer. `accepted` is how many URLs of the request the API has not refused, where that is known: a job that
 * has completed with fewer owes the rest.
 */
const batchSnapshot = (status: BatchAnswer, url: string, observedAt: number, accepted?: number): JobSnapshot => {
  const ended = status.completed_urls + status.failed_urls + status.cancelled_urls
  return {
    jobId: status.job_id,
    kind: "batch",
    url,
    status: status.status,
    discovered: status.total_urls,
    completed: status.completed_urls,
    failed: status.failed_urls,
    cancelled: status.cancelled_urls,
    tokensCharged: status.token_summary.tokens_charged_total,
    tokensReserved: status.token_summary.tokens_reserved,
    owed: Math.max(0, Math.max(status.total_urls, accepted ?? 0) - ended, status.pending_urls),
    observedAt
  }
}

/** A page is known by the URL that was asked for and which occurrence of it this is, whatever URL the answer names. */
const toRow = (
  jobId: string,
  item: unknown,
  said: Recognised,
  { occurrences, urls }: BatchPart,
  places: ReadonlyArray<number>
): Omit<EndedRow, "answer"> | undefined => {
  const inputIndex = said.inputIndex === undefined ? onlyPlaceOf(said.url, urls) : places[said.inputIndex]
  const asked = inputIndex === undefined ? undefined : urls[inputIndex]
  if (asked === undefined || inputIndex === undefined) return undefined
  const key = pageKey(asked, occurrences[inputIndex])
  const page = { jobId, key, url: said.url ?? asked, inputIndex, status: said.status }
  return { key, record: () => batchedRecord(page, item) }
}

/** Where a URL is in a list that names it once, in whatever spelling. */
const onlyPlaceOf = (url: string | undefined, urls: ReadonlyArray<string>): number | undefined => {
  if (url === undefined) return undefined
  for (const isIt of [(other: string) => other === url, (other: string) => isSameUrl(other, url)]) {
    const at = urls.findIndex(isIt)
    if (at >= 0) return urls.findLastIndex(isIt) === at ? at : undefined
  }
  return undefined
}

/** @internal Batches, as the engine knows them. */
export const batchKind: SourceKind<BatchOptions> = {
  stream,
  firstPage: ({ formats, urls }) => ({ url: urls[0]!, formats, inputIndex: 0 }),
  asks: (options) => ({ known: sizesOf(options).map((tokens) => ({ kind: "batch", tokens })) }),
  pageBounds: ({ urls }) => [[urls.length, "source.batch.urls"]],
  whyAbsent: whyFormatAbsent,
  hasContent: () => true,
  limitReached: () => undefined,
  isOnePage: false,
  recordOf: (page, raw) => {
    const said = recognise(raw)
    if (said === undefined || page.url === "") return undefined
    return batchedRecord({ ...page, inputIndex: page.inputIndex ?? said.inputIndex ?? null, status: said.status }, raw)
  },
  totals: (scraper, jobId) =>
    Effect.map(scraper.getBatch(jobId, { page: 1, pageSize: 1 }), (answer) => batchSnapshot(answer, "", 0))
}
