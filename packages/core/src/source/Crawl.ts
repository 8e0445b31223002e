import { type CrawlAnswer, CrawlRequest } from "@sluice/contract"
import { Clock, Effect, Schema, Stream } from "effect"
import { Scraper } from "../api/Scraper.ts"
import type { JobSnapshot } from "../record/JobSnapshot.ts"
import { type PageRecord, pageKey } from "../record/PageRecord.ts"
import { type Recognised, readCrawlItem, recognise } from "./JobItem.ts"
import { type EndedRow, type ReaderOptions, readerDefaults, readJob } from "./JobReader.ts"
import { recordOfItem } from "./recordOfItem.ts"
import type { SourceError } from "./SourceError.ts"
import type { SourceKind } from "./SourceKind.ts"

import { Formats, PageProxy, PageUrl } from "./sourceOptions.ts"
import { splitResults } from "./splitResults.ts"

import { submitJob } from "./submitJob.ts"
import { whyFormatAbsent } from "./whyFormatAbsent.ts"

/** A site to crawl: the members of the API's request, `formats` being `["markdown"]` when absent. */
export const CrawlOptions = Schema.Struct({
  ...CrawlRequest.fields,
  url: PageUrl,
  proxy: Schema.optionalKey(PageProxy),
  formats: Formats
}).annotate({
  identifier: "CrawlOptions",
  description: "Crawl a site breadth first from one URL."
})
export type CrawlOptions = typeof CrawlOptions.Type

/** Pages the API crawls at most, and so tokens a crawl can cost. */
const largestCrawl = 10_000

const mostPages = ({ limit = largestCrawl }: Pick<CrawlOptions, "limit">): number => limit

const decode = Schema.decodeUnknownSync(CrawlOptions, { onExcessProperty: "error" })

/** A crawl as a source of a pipeline. Throws a `SchemaError` on options that make no sense. */
const make = (options: typeof CrawlOptions.Encoded) => ({ crawl: decode(options) }) as const

/**
 * The pages of a crawl, each once, as they end. Running the stream starts a crawl and pays for it; running it again starts
 * another. Stopping early leaves the crawl running.
 */
const records = (
  options: typeof CrawlOptions.Encoded,
  reader: Partial<ReaderOptions> = {}
): Stream.Stream<PageRecord, SourceError, Scraper> =>
  Stream.suspend(() => stream(decode(options), { ...readerDefaults, ...reader }))

/**
 * Crawling a site: `Crawl.make` for a pipeline, `Crawl.records` for a plain stream.
 *
 * Without `limit` a crawl can cost 10,000 tokens: a page costs one. `make` throws a `SchemaError` on invalid options. The stream
 * fails with a `SourceError`; running it twice pays twice, and stopping it early leaves the crawl running.
 *
 * @example
 * ```ts
 * import { Crawl } from "@sluice/core"
 * import { Console, Stream } from "effect"
 *
 * const source = Crawl.make({ url: "https://example.com/", depth: 3, limit: 100 })
 * const pages = Crawl.records({ url: "https://example.com/", limit: 10 }, { pollMax: "1 second" })
 * const urls = Stream.runForEach(pages, ({ url }) => Console.log(url))
 * ```
 */
export const Crawl = { make, records }

const stream = (request: CrawlOptions, options: ReaderOptions): Stream.Stream<PageRecord, SourceError, Scraper> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const scraper = yield* Scraper
      const jobId = yield* submitJob(
        {
          ordinal: 0,
          kind: "crawl",
          url: request.url,
          tokens: mostPages(request),
          body: (granted) => (granted < mostPages(request) ? { ...request, limit: granted } : request),
          whenLost: "find"
        },
        scraper.createCrawl
      )
      if (jobId === undefined) return Stream.empty
      return readJob(
        {
          source: "crawl",
          jobId,
          fetch: (slice) =>
            Effect.gen(function* () {
              const answer = yield* scraper.getCrawl(jobId, slice)
              const results = splitResults(answer.results, (item, said) => toRow(jobId, item, said))
              const told = crawlSnapshot(answer, yield* Clock.currentTimeMillis)
              const snapshot = told.url === "" ? { ...told, url: request.url } : told
              return { snapshot, rows: answer.results.length, ...results }
            }),
          cancel: scraper.cancelCrawl(jobId)
        },
        options
      )
    })
  )

/**
 * The counters of an answer. `total_pages` counts what was discovered, which a limit or a depth may keep out: pages are missing of
 * a completed crawl where tokens are still reserved for them.
 */
const crawlSnapshot = (status: CrawlAnswer, observedAt: number): JobSnapshot => {
  const { tokens_charged_total: tokensCharged, tokens_reserved: tokensReserved } = status.token_summary
  const ended = status.completed_pages + status.failed_pages + status.cancelled_pages
  return {
    jobId: status.job_id,
    kind: "crawl",
    url: status.url,
    status: status.status,
    discovered: status.total_pages,
    completed: status.completed_pages,
    failed: status.failed_pages,
    cancelled: status.cancelled_pages,
    tokensCharged,
    tokensReserved,
    owed: Math.max(0, Math.min(status.total_pages - ended, tokensReserved)),
    observedAt
  }
}

const toRow = (jobId: string, item: unknown, { status, url }: Recognised): Omit<EndedRow, "answer"> | undefined => {
  if (url === undefined) return undefined
  const key = pageKey(url)
  return { key, record: () => crawledRecord({ jobId, key, url, status }, item) }
}

/** The record of a terminal item of a crawl, known by what it says of itself. */
const crawledRecord = (
  { jobId, key, status, url }: Pick<PageRecord, "jobId" | "key" | "url"> & Pick<Recognised, "status">,
  raw: unknown
): PageRecord => {
  const read = readCrawlItem(raw)
  const { depth, links, parent_url: parentUrl } = read.item ?? { depth: null, links: null, parent_url: null }
  const place = {
    jobId,
    key,
    inputIndex: null,
    parentUrl: parentUrl ?? null,
    depth: depth ?? null,
    links: links ?? null
  }
  return recordOfItem(place, { ...read.item, url, status }, read)
}

/** @internal Crawls, as the engine knows them. */
export const crawlKind: SourceKind<CrawlOptions> = {
  stream,
  firstPage: ({ formats, url }) => ({ url, formats, inputIndex: null }),
  // A crawl of depth 1 is one page, whatever its limit.
  asks: ({ depth, limit }) => ({
    known: [{ kind: "crawl", tokens: depth === 1 ? 1 : mostPages({ ...(limit === undefined ? {} : { limit }) }) }]
  }),
  pageBounds: ({ depth, limit }) => {
    const most = [limit ?? largestCrawl, limit === undefined ? "a crawl" : "source.crawl.limit"] as const
    return depth === 1 ? [most, [1, "source.crawl.depth: 1"]] : [most]
  },
  whyAbsent: whyFormatAbsent,
  hasContent: () => true,
  limitReached: ({ limit }, jobs) => {
    if (limit === undefined) return jobs.length === 0 ? undefined : "none named"
    return jobs.some(({ discovered }) => discovered >= limit) ? limit : undefined
  },
  isOnePage: false,
  recordOf: (page, raw) => {
    const said = recognise(raw)
    return said === undefined || page.url === "" ? undefined : crawledRecord({ ...page, status: said.status }, raw)
  },
  totals: (scraper, jobId) =>
    Effect.map(scraper.getCrawl(jobId, { page: 1, pageSize: 1 }), (answer) => crawlSnapshot(answer, 0))
}
