import { type BatchAnswer, BatchRequest } from "@sluice/contract"
import { Clock, Effect, Schema, Stream } from "effect"
import { Scraper } from "../api/Scraper.ts"
import type { JobSnapshot } from "../record/JobSnapshot.ts"
import { type PageRecord, pageKey } from "../record/PageRecord.ts"
import { endedRows } from "./endedRows.ts"
import { type Recognised, readBatchItem } from "./JobItem.ts"
import { type EndedRow, type ReaderOptions, readerDefaults, readJob } from "./JobReader.ts"
import { recordOfItem, refusedRecord } from "./recordOfItem.ts"
import type { SourceError } from "./SourceError.ts"
import { Formats, PageUrl } from "./sourceOptions.ts"
import { submitJob } from "./submitJob.ts"

/** URLs a single batch job takes. */
const largestBatch = 1000

const { urls: _, ...shared } = BatchRequest.fields

/** What a batch is asked besides its URLs. `batch_size` is how many URLs go into one job, at most 1,000. */
export const batchFields = {
  ...shared,
  formats: Formats,
  batch_size: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: largestBatch })).pipe(
    Schema.withDecodingDefaultTypeKey(Effect.succeed(largestBatch))
  )
}

/** URLs to extract in as many batch jobs as they need, one after the other. A URL named twice is extracted twice. */
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

/** Extracting a list of URLs by batch jobs: `Batch.make` for a pipeline, `Batch.records` for a plain stream. */
export const Batch = { make, records }

/** @internal `firstOrdinal` is the submission number of the first job. */
export const stream = (
  options: BatchOptions,
  reader: ReaderOptions,
  firstOrdinal = 0
): Stream.Stream<PageRecord, SourceError, Scraper> => {
  const { batch_size: size, urls, ...request } = options
  return Stream.range(0, Math.ceil(urls.length / size) - 1).pipe(
    Stream.flatMap((part) =>
      readPart({ ...request, urls: urls.slice(part * size, (part + 1) * size) }, firstOrdinal + part, reader)
    )
  )
}

const readPart = (request: BatchRequest, ordinal: number, options: ReaderOptions) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const scraper = yield* Scraper
      const url = request.urls[0]!
      const jobId = yield* submitJob(
        {
          ordinal,
          kind: "batch",
          url,
          tokens: request.urls.length,
          body: (granted) => ({ ...request, urls: request.urls.slice(0, granted) }),
          whenLost: "find"
        },
        (body) =>
          scraper
            .createBatch(body)
            .pipe(
              Effect.tap(({ invalidUrls }) =>
                invalidUrls.length === 0
                  ? Effect.void
                  : Effect.logWarning(`the API refused ${invalidUrls.length} of ${body.urls.length} URLs of a batch`)
              )
            )
      )
      if (jobId === undefined) return Stream.empty
      const occurrences = countOccurrences(request.urls)
      return readJob(
        {
          source: "batch",
          jobId,
          fetch: (slice) =>
            Effect.gen(function* () {
              const answer = yield* scraper.batch(jobId, slice)
              const ended = yield* endedRows(
                { operation: "read batch", origin: scraper.origin },
                answer.results,
                (item, said) => toRow(jobId, item, said, request.urls, occurrences)
              )
              const snapshot = batchSnapshot(answer, url, yield* Clock.currentTimeMillis)
              return { snapshot, rows: answer.results.length, ended }
            }),
          cancel: scraper.cancelBatch(jobId)
        },
        options
      )
    })
  )

/** For each place of a list, how often the same URL stands before it. */
const countOccurrences = (urls: ReadonlyArray<string>): Uint32Array => {
  const counts = new Map<string, number>()
  return Uint32Array.from(urls, (url) => {
    const before = counts.get(url) ?? 0
    counts.set(url, before + 1)
    return before
  })
}

/** The counters of an answer. */
export const batchSnapshot = (status: BatchAnswer, url: string, observedAt: number): JobSnapshot => ({
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
  observedAt
})

/** A page is known by the URL that was asked for and which occurrence of it this is, whatever URL the answer names. */
const toRow = (
  jobId: string,
  item: unknown,
  said: Recognised,
  urls: ReadonlyArray<string>,
  occurrences: Uint32Array
): Omit<EndedRow, "answer"> | undefined => {
  const inputIndex = said.inputIndex ?? onlyPlaceOf(said.url, urls)
  const asked = (inputIndex === undefined ? undefined : urls[inputIndex]) ?? said.url
  if (asked === undefined || inputIndex === undefined) return undefined
  const key = pageKey(asked, occurrences[inputIndex] ?? inputIndex)
  const page = { jobId, key, url: said.url ?? asked, inputIndex, status: said.status }
  return { key, record: () => batchedRecord(page, item) }
}

/** Where a URL stands in a list that names it once. */
const onlyPlaceOf = (url: string | undefined, urls: ReadonlyArray<string>): number | undefined => {
  const at = url === undefined ? -1 : urls.indexOf(url)
  return at < 0 || urls.lastIndexOf(url!) !== at ? undefined : at
}

/** The record of a terminal item of a batch, known by its place in the request. */
export const batchedRecord = (
  page: Pick<PageRecord, "jobId" | "key" | "url" | "inputIndex"> & Pick<Recognised, "status">,
  raw: unknown
): PageRecord => {
  const read = readBatchItem(raw)
  if ("refusal" in read) return refusedRecord(page, read.refusal)
  const { extra, item } = read
  const { jobId, key } = page
  const links = item.data?.links ?? null
  return recordOfItem({ jobId, key, inputIndex: item.input_index, parentUrl: null, depth: null, links }, item, extra)
}
