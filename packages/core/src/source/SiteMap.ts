import { randomUUID } from "node:crypto"
import { JobId, MapRequest, MapResponse } from "@sluice/contract"
import { Clock, Effect, Option, Schema, Stream } from "effect"
import { type AsCame, Scraper } from "../api/Scraper.ts"
import { type PageRecord, pageKey } from "../record/PageRecord.ts"
import { batchFields, stream as batchStream } from "./Batch.ts"
import { extractFields, stream as extractStream } from "./Extract.ts"
import { type ReaderOptions, readerDefaults } from "./JobReader.ts"
import { CurrentJournal } from "./Journal.ts"
import { recordOfItem } from "./recordOfItem.ts"
import { ApiFailed, LedgerFailed, SourceError } from "./SourceError.ts"
import { PageUrl } from "./sourceOptions.ts"
import { submitJob } from "./submitJob.ts"

/**
 * A site whose URLs to discover. Without `into` the result is one record: the site with its URLs as links. With it the
 * URLs are handed on to `extract` or `batch`, whose pages are the result.
 */
export const MapOptions = Schema.Struct({
  ...MapRequest.fields,
  url: PageUrl,
  into: Schema.optionalKey(
    Schema.Union([
      Schema.Struct({ extract: Schema.Struct(extractFields) }),
      Schema.Struct({ batch: Schema.Struct(batchFields) })
    ])
  )
}).annotate({ identifier: "MapOptions", description: "Discover the URLs of a site, and extract them if wanted." })
export type MapOptions = typeof MapOptions.Type

const decode = Schema.decodeUnknownSync(MapOptions, { onExcessProperty: "error" })

/** A map as a source of a pipeline. Throws a `SchemaError` on options that make no sense. */
const make = (options: typeof MapOptions.Encoded) => ({ map: decode(options) }) as const

/** The records of a map: see {@link MapOptions}. */
const records = (
  options: typeof MapOptions.Encoded,
  reader: Partial<ReaderOptions> = {}
): Stream.Stream<PageRecord, SourceError, Scraper> =>
  Stream.suspend(() => stream(decode(options), { ...readerDefaults, ...reader }))

/** The URLs of a site, in the order of the answer. One call; it answers directly. */
const urls = (options: Omit<typeof MapOptions.Encoded, "into">): Stream.Stream<string, SourceError, Scraper> =>
  Stream.suspend(() => {
    const { into: _, ...request } = decode(options)
    return Stream.unwrap(Effect.map(discover(request), (found) => Stream.fromIterable(linksOf(found?.answer))))
  })

/** Discovering the URLs of a site: `SiteMap.make` for a pipeline, `SiteMap.records` and `SiteMap.urls` for plain streams. */
export const SiteMap = { make, records, urls }

/** Asks for the URLs, as a submission under a job id of ours: the answer names none, and a later attempt asks again. */
const discover = Effect.fnUntraced(function* (
  request: MapRequest
): Effect.fn.Return<{ readonly jobId: JobId; readonly answer: AsCame<MapResponse> } | undefined, SourceError, Scraper> {
  const scraper = yield* Scraper
  let answer: AsCame<MapResponse> | undefined
  const ask = Effect.map(scraper.map(request), (given) => {
    answer = given
  })
  const jobId = yield* submitJob(
    { ordinal: 0, kind: "map", url: request.url, tokens: 0, body: () => request, whenLost: "ask again" },
    () => Effect.as(ask, { jobId: JobId.make(`sync-${randomUUID()}`) })
  )
  if (jobId === undefined) return undefined
  if (answer === undefined) yield* Effect.mapError(ask, (error) => failure(new ApiFailed({ error })))
  return { jobId, answer: answer! }
})

/** @internal */
export const stream = (options: MapOptions, reader: ReaderOptions): Stream.Stream<PageRecord, SourceError, Scraper> => {
  const { into, ...request } = options
  return Stream.unwrap(
    Effect.gen(function* () {
      const discovered = yield* discover(request)
      if (discovered === undefined) return Stream.empty
      const { answer, jobId } = discovered
      if (into === undefined) return Stream.fromIterableEffect(landSite(jobId, request, answer))
      const links = linksOf(answer)
      if (links.length === 0) return Stream.empty
      return "extract" in into
        ? extractStream({ ...into.extract, urls: links }, reader, 1)
        : batchStream({ ...into.batch, urls: links }, reader, 1)
    })
  )
}

/** The site itself as a record, unless it was committed before. */
const landSite = Effect.fnUntraced(function* (jobId: JobId, request: MapRequest, answer: AsCame<MapResponse>) {
  const journal = yield* CurrentJournal
  const key = pageKey(request.url)
  const committed = yield* Effect.mapError(journal.committed(jobId), (error) => failure(new LedgerFailed({ error })))
  if (committed.has(key)) return []
  yield* journal.progress({
    jobId,
    kind: "map",
    url: request.url,
    status: "completed",
    discovered: 1,
    completed: 1,
    failed: 0,
    cancelled: 0,
    tokensCharged: 0,
    tokensReserved: 0,
    observedAt: yield* Clock.currentTimeMillis
  })
  const record = mappedRecord({ jobId, key, url: request.url }, answer)
  return [journal.keepsAnswers === true ? { ...record, answer: answer.raw } : record]
})

const linksOf = (answer: Pick<MapResponse, "links"> | undefined): ReadonlyArray<string> =>
  answer?.links.map((link) => link.url) ?? []

const mappedRecord = (
  page: Pick<PageRecord, "jobId" | "key" | "url">,
  answer: Pick<MapResponse, "links">
): PageRecord =>
  recordOfItem(
    { jobId: page.jobId, key: page.key, inputIndex: null, parentUrl: null, depth: null, links: linksOf(answer) },
    { url: page.url, status: "completed" }
  )

const decodeAnswer = Schema.decodeUnknownOption(MapResponse)

/** The record of a map's answer as it came; undefined where it is none of a map. */
export const mappedAnswer = (page: Pick<PageRecord, "jobId" | "key" | "url">, raw: unknown): PageRecord | undefined =>
  Option.getOrUndefined(Option.map(decodeAnswer(raw), (answer) => mappedRecord(page, answer)))

const failure = (reason: SourceError["reason"]) => new SourceError({ source: "map", reason })
