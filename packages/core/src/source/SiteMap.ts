import { type JobId, MapRequest } from "@sluice/contract"
import { Clock, Effect, Exit, Schema, Stream } from "effect"
import { CurrentRequestCounter } from "../api/RequestCounter.ts"
import { type RetryPolicy, retryBy } from "../api/RetryPolicy.ts"
import { type MapAnswer, mapAnswer } from "../api/readMap.ts"
import { Scraper } from "../api/Scraper.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { type PageRecord, pageKey } from "../record/PageRecord.ts"
import type { RequirableField } from "../record/Tally.ts"
import { batchFields, stream as batchStream } from "./Batch.ts"
import { extractFields, stream as extractStream, whyExtractedAbsent } from "./Extract.ts"
import { type ReaderOptions, readerDefaults } from "./JobReader.ts"
import { mapLinks } from "./mapLinks.ts"
import { ownJobId } from "./ownJobId.ts"
import { recordOfItem } from "./recordOfItem.ts"
import { EmptyMap, MapFailed, SourceError } from "./SourceError.ts"
import type { SourceKind } from "./SourceKind.ts"
import { CurrentSubmissionLog, warn } from "./SubmissionLog.ts"
import { PageUrl } from "./sourceOptions.ts"
import { submitJob } from "./submitJob.ts"
import { whyFormatAbsent } from "./whyFormatAbsent.ts"

/**
 * A site whose URLs to discover. Without `into` the result is one record: the site with its URLs as links. With it the
 * URLs are handed on to `extract` or `batch`, whose pages are the result. A pipeline whose map finds nothing fails, unless it is
 * `allow_empty`.
 */
export const MapOptions = Schema.Struct({
  ...MapRequest.fields,
  url: PageUrl,
  allow_empty: Schema.optionalKey(Schema.Boolean),
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
    const { allow_empty: _allow, into: _into, ...request } = decode(options)
    return Stream.unwrap(Effect.map(discover(request), (found) => Stream.fromIterable(found?.links ?? [])))
  })

/**
 * Discovering the URLs of a site: `SiteMap.make` for a pipeline, `SiteMap.records` and `SiteMap.urls` for plain streams.
 *
 * With `into` the URLs are extracted, which costs a token each; without, the site is one record whose `links` are the URLs. A
 * pipeline whose map finds no URL fails with `EmptyMap` unless `allow_empty` is set. `make` throws a `SchemaError`, the streams
 * fail with a `SourceError`.
 *
 * @example
 * ```ts
 * import { SiteMap } from "@sluice/core"
 * import { Console, Stream } from "effect"
 *
 * const source = SiteMap.make({ url: "https://example.com/", into: { batch: { formats: ["markdown"] } } })
 * const urls = Stream.runForEach(SiteMap.urls({ url: "https://example.com/" }), (url) => Console.log(url))
 * ```
 */
export const SiteMap = { make, records, urls }

/** How often and how long a map that timed out is asked for again. Asking costs nothing. */
const timedOut: RetryPolicy = { first: 1_000, longest: 30_000, within: 300_000, times: 3 }

/** Asks again where the API says that it took too long, and does not say that asking again is of no use. */
const retryTimeouts = (ask: Effect.Effect<MapAnswer, ScraperError>): Effect.Effect<MapAnswer, ScraperError> =>
  Effect.flatMap(CurrentRequestCounter, (counter) =>
    retryBy(ask, {
      policyOf: ({ reason }) =>
        reason._tag === "Unavailable" && reason.status === 408 && reason.retryable !== false ? timedOut : undefined,
      retryAfterOf: (error) => error.retryAfterMs,
      onPause: () =>
        Effect.sync(() => {
          counter.submitted--
          counter.retries++
        })
    })
  )

interface Discovered {
  readonly jobId: JobId
  readonly answer: MapAnswer
  /** Whole URLs, each once. */
  readonly links: ReadonlyArray<string>
}

/** Asks for the URLs, as a submission under a job id of ours: the answer names none, and a later attempt asks again. */
const discover = Effect.fnUntraced(function* (
  request: MapRequest
): Effect.fn.Return<Discovered | undefined, SourceError, Scraper> {
  const scraper = yield* Scraper
  let answer: MapAnswer | undefined
  const ask = Effect.map(retryTimeouts(scraper.map(request)), (given) => {
    answer = given
  })
  const jobId = yield* submitJob(
    { ordinal: 0, kind: "map", url: request.url, tokens: 0, body: () => request, whenLost: "ask again" },
    () => Effect.as(ask, { jobId: ownJobId() })
  )
  if (jobId === undefined) return undefined
  if (answer === undefined) yield* Effect.mapError(ask, failure)
  const { success, warning } = answer!
  if (!success) return yield* failure(new MapFailed({ url: request.url, detail: warning ?? "it gives no reason" }))
  if (warning !== null) yield* warn(`the map of ${request.url}: ${warning}`)
  return { jobId, answer: answer!, links: mapLinks(answer!.links, request.url) }
})

const stream = (options: MapOptions, reader: ReaderOptions): Stream.Stream<PageRecord, SourceError, Scraper> => {
  const { allow_empty: allowsNone = false, into, ...request } = options
  return Stream.unwrap(
    Effect.gen(function* () {
      const submissionLog = yield* CurrentSubmissionLog
      const discovered = yield* discover(request)
      if (discovered === undefined) return Stream.empty
      const { links } = discovered
      if (links.length === 0 && submissionLog.expectsPages === true && !allowsNone) {
        return yield* failure(new EmptyMap({ url: request.url }))
      }
      if (into === undefined) return Stream.fromIterableEffect(landSite(discovered, request))
      if (links.length === 0) return Stream.empty
      return "extract" in into
        ? extractStream({ ...into.extract, urls: links }, reader, 1)
        : batchStream({ ...into.batch, urls: links }, reader, 1)
    })
  )
}

/** The site itself as a record, unless it was committed before. */
const landSite = Effect.fnUntraced(function* ({ answer, jobId, links }: Discovered, request: MapRequest) {
  const submissionLog = yield* CurrentSubmissionLog
  const key = pageKey(request.url)
  const committed = yield* Effect.mapError(submissionLog.committed(jobId), failure)
  if (committed.has(key)) return []
  yield* submissionLog.progress({
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
  const record = mappedRecord({ jobId, key, url: request.url }, links)
  return [submissionLog.keepsRawResults === true ? { ...record, answer: answer.raw } : record]
})

const mappedRecord = (page: Pick<PageRecord, "jobId" | "key" | "url">, links: ReadonlyArray<string>): PageRecord =>
  recordOfItem(
    { jobId: page.jobId, key: page.key, inputIndex: null, parentUrl: null, depth: null, links },
    { url: page.url, status: "completed" }
  )

/** The record of a map's answer as it came; undefined where it is none of a map. */
const mappedAnswer = (page: Pick<PageRecord, "jobId" | "key" | "url">, raw: unknown): PageRecord | undefined => {
  const answer = Effect.runSyncExit(mapAnswer(raw))
  return Exit.isSuccess(answer) ? mappedRecord(page, mapLinks(answer.value.links, page.url)) : undefined
}

/** What is asked of the pages of a map's URLs; undefined where the URLs are the result. */
const pagesOf = ({ into }: MapOptions) => {
  if (into === undefined) return undefined
  return "extract" in into
    ? { formats: into.extract.formats, whyAbsent: (field: RequirableField) => whyExtractedAbsent(into.extract, field) }
    : { formats: into.batch.formats, whyAbsent: (field: RequirableField) => whyFormatAbsent(into.batch, field) }
}

/** @internal Maps, as the engine knows them. The API keeps no job of a map. */
export const mapKind: SourceKind<MapOptions> = {
  stream,
  firstPage: (options) => ({ url: options.url, formats: pagesOf(options)?.formats ?? [], inputIndex: 0 }),
  asks: ({ into }) => ({
    known: [{ kind: "map", tokens: 0 }],
    ...(into === undefined ? {} : { later: "extract" in into ? "extract" : "batch" })
  }),
  pageBounds: ({ into }) => [into === undefined ? [1, "a map without into"] : [Number.POSITIVE_INFINITY, ""]],
  whyAbsent: (options, field) => {
    const pages = pagesOf(options)
    if (pages !== undefined) return pages.whyAbsent(field)
    return field === "links" ? undefined : "a map without into brings links alone"
  },
  hasContent: ({ into }) => into !== undefined,
  limitReached: () => undefined,
  isOnePage: false,
  recordOf: mappedAnswer
}

const failure = (reason: SourceError["reason"]) => new SourceError({ source: "map", reason })
