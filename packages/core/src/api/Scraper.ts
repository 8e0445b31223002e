import {
  type BatchAnswer,
  type BatchRequest,
  type CrawlAnswer,
  type CrawlRequest,
  type ExtractRequest,
  type JobId,
  type MapRequest,
  ScraperApi
} from "@sluice/contract"
import { Config, Context, DateTime, type Duration, Effect, Layer, Option, Redacted, Schema, Semaphore } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, type HttpClientResponse } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { RateLimiter } from "effect/persistence"
import { makeRedactor } from "../secret/redactor.ts"
import { isSameJob } from "./answerFrame.ts"
import { bodyOf, parse } from "./body.ts"
import { decodedAnswer } from "./decodedAnswer.ts"
import type { JobListPage } from "./JobListing.ts"
import { makeOutage } from "./Outage.ts"
import { CurrentRequestCounter } from "./RequestCounter.ts"
import { batchAnswer, crawlAnswer } from "./readJob.ts"
import { jobList } from "./readJobList.ts"
import { type MapAnswer, mapAnswer } from "./readMap.ts"
import { type AccountUsage, accountUsage } from "./readStatistics.ts"
import {
  accepted,
  acceptedBatch,
  type EndedAnswer,
  extractionAnswer,
  type StartedExtraction,
  startedExtraction
} from "./readSubmission.ts"
import type { RefusedUrl } from "./refusedUrls.ts"
import { InvalidRequest, ScraperError, ScraperReason, Unavailable, Unreadable } from "./ScraperError.ts"
import { judgeAnswer, readFailure } from "./scraperAnswer.ts"

/** How the client behaves towards one API. Every number is a bound. */
export interface ScraperOptions {
  readonly baseUrl: string
  readonly apiKey: Redacted.Redacted
  /** `x-api-key` (the documented way) or `bearer`. */
  readonly auth: "x-api-key" | "bearer"
  /** Requests in flight at once, over all users of this client. */
  readonly concurrency: number
  /** Requests a second over all users of this client. Bursts of this size are allowed. */
  readonly requestsPerSecond: number
  /** For one attempt, its body included. */
  readonly attemptTimeout: Duration.Input
  /** How long one outage may last: a read is made again until it has failed for so long. */
  readonly giveUpAfter: Duration.Input
  /**
   * How long a read is retried that fails in a way waiting does not cure (401, another shape, HTML, a redirect): something in
   * between may have answered in the API's place. Never longer than `giveUpAfter`.
   */
  readonly insistFor: Duration.Input
  /** Attempts of a read beyond the first; the time alone bounds them when absent. */
  readonly retries?: number
  /** The first pause between attempts; it doubles, with jitter. */
  readonly retryBase: Duration.Input
  /** The longest pause, unless `Retry-After` asks for a longer one. */
  readonly retryCap: Duration.Input
}

/** What {@link ScraperOptions} default to. The hosted service publishes no limits: these stay on the gentle side. */
const scraperDefaults = {
  auth: "x-api-key",
  concurrency: 24,
  requestsPerSecond: 200,
  attemptTimeout: "60 seconds",
  giveUpAfter: "1 hour",
  insistFor: "1 minute",
  retryBase: "250 millis",
  retryCap: "30 seconds"
} as const

/** Which rows of a job's results to read: `page` counts from 1, `pageSize` is 1 to 50. Page 0 is for servers that count from it. */
export interface Slice {
  readonly page: number
  readonly pageSize: number
}

/** The kinds of job whose lists a lost submission can be found in. */
export type ListedKind = "crawl" | "batch" | "extract"

/** Rows of a job list asked for at once. */
const listPageSize = 100

/**
 * A job the API has taken on. Its `status_url`, relative or absolute, is not followed: jobs are polled by id under the
 * base URL, so that no answer can send the key to another host.
 */
export interface Accepted {
  readonly jobId: JobId
}

/**
 * The client of the Scraper API: `Scraper.layer` makes one from options, `Scraper.layerConfig` from the environment. Both need an
 * `HttpClient`; `Scraper.layerFetch` is `layerConfig` over the `fetch` of the process.
 *
 * Reads are retried within bounds. A request that may cost tokens is sent once: its failure says nothing about whether it took
 * effect. Every call fails with a `ScraperError`. Times are durations; limits count requests over all users of one client, so
 * provide one layer, not one for each pipeline.
 *
 * @example
 * ```ts
 * import { NodeHttpClient } from "@effect/platform-node"
 * import { Scraper } from "@sluice/core"
 * import { Layer, Redacted } from "effect"
 *
 * const client = Scraper.layer({ baseUrl: "https://scraper.example", apiKey: Redacted.make("key"), requestsPerSecond: 10 })
 * const live = Layer.provide(client, NodeHttpClient.layerUndici)
 * ```
 */
export class Scraper extends Context.Service<
  Scraper,
  {
    readonly origin: string
    readonly createCrawl: (request: CrawlRequest) => Effect.Effect<Accepted, ScraperError>
    /** A crawl's counters and a slice of its results, which are as they came: one that does not fit spoils no other. */
    readonly getCrawl: (jobId: JobId, slice: Slice) => Effect.Effect<CrawlAnswer, ScraperError>
    readonly cancelCrawl: (jobId: JobId) => Effect.Effect<void, ScraperError>
    readonly createBatch: (
      request: BatchRequest
    ) => Effect.Effect<Accepted & { readonly invalidUrls: ReadonlyArray<RefusedUrl> }, ScraperError>
    /** A batch's counters and a slice of its results, which are as they came. */
    readonly getBatch: (jobId: JobId, slice: Slice) => Effect.Effect<BatchAnswer, ScraperError>
    readonly cancelBatch: (jobId: JobId) => Effect.Effect<void, ScraperError>
    /** Asks for a job to poll, whatever `processing_mode` the request names. The API may answer with the page at once. */
    readonly createExtraction: (request: ExtractRequest) => Effect.Effect<StartedExtraction, ScraperError>
    /** Asks for the page itself; there is no job to come back to if the answer is lost. The API may make a job all the same. */
    readonly extractNow: (request: ExtractRequest) => Effect.Effect<StartedExtraction, ScraperError>
    readonly getExtraction: (jobId: JobId) => Effect.Effect<EndedAnswer & { readonly job_id: JobId }, ScraperError>
    readonly map: (request: MapRequest) => Effect.Effect<MapAnswer, ScraperError>
    /**
     * A page of the jobs of a kind made at or after an instant (epoch milliseconds). `page` counts from 1. What
     * `isFinal` names is not asked again: the caller can do without the list.
     */
    readonly listJobs: (
      kind: ListedKind,
      query: { readonly since: number; readonly page: number; readonly isFinal?: (error: ScraperError) => boolean }
    ) => Effect.Effect<JobListPage, ScraperError>
    /** What the account was charged between two instants (epoch milliseconds), by day. A refusal is not asked again. */
    readonly getAccountUsage: (period: {
      readonly from: number
      readonly to: number
    }) => Effect.Effect<AccountUsage, ScraperError>
    /** The whole derived client for calls without a name of their own here: no retries, no counting. */
    readonly api: HttpApiClient.ForApi<typeof ScraperApi, ScraperReason>
  }
>()("@sluice/core/Scraper") {
  /** A client with the given options over the `HttpClient` still to be provided. */
  static readonly layer = (
    options: Partial<ScraperOptions> & Pick<ScraperOptions, "baseUrl" | "apiKey">
  ): Layer.Layer<Scraper, ScraperError, HttpClient.HttpClient> =>
    Layer.effect(this, make({ ...scraperDefaults, ...options })).pipe(
      Layer.provide(RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)))
    )

  /** A client for `SCRAPER_API_BASE_URL` and `GEONODE_SCRAPER_API_KEY`. */
  static readonly layerConfig: Layer.Layer<Scraper, ScraperError | Config.ConfigError, HttpClient.HttpClient> =
    Layer.unwrap(
      Effect.gen(function* () {
        const baseUrl = yield* Config.NonEmptyString("SCRAPER_API_BASE_URL")
        const apiKey = yield* Config.Redacted("GEONODE_SCRAPER_API_KEY")
        return Scraper.layer({ baseUrl, apiKey })
      })
    )

  /** As `layerConfig`, over the `fetch` of this process: needs nothing else. */
  static readonly layerFetch: Layer.Layer<Scraper, ScraperError | Config.ConfigError> = Layer.provide(
    this.layerConfig,
    FetchHttpClient.layer
  )
}

const make = Effect.fnUntraced(function* (options: ScraperOptions) {
  const base = yield* readBaseUrl(options.baseUrl)
  const limiter = yield* RateLimiter.RateLimiter
  const slots = yield* Semaphore.make(options.concurrency)
  const outage = makeOutage(options)
  const apiKey = Redacted.value(options.apiKey)

  const httpClient = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest((request) =>
      request.pipe(
        HttpClientRequest.prependUrl(base.href.replace(/\/+$/, "")),
        HttpClientRequest.acceptJson,
        options.auth === "bearer"
          ? HttpClientRequest.bearerToken(options.apiKey)
          : HttpClientRequest.setHeader("X-Api-Key", apiKey)
      )
    ),
    HttpClient.transform((answer, request) =>
      Effect.flatMap(Effect.flatMap(answer, decodedAnswer), (given) =>
        judgeAnswer(given, () => makeRedactor([apiKey, ...headersSentOn(request)]))
      )
    ),
    // fetch would follow a redirect to another host and take the key there
    HttpClient.transformResponse(Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }))
  )
  const api = yield* HttpApiClient.makeWith(ScraperApi, { httpClient })

  const fail = (operation: string) => (error: unknown) =>
    new ScraperError({
      operation,
      origin: base.origin,
      reason: isReason(error) ? error : readFailure(error)
    })

  /** One attempt: a slot, the rate limit, then the request and its body within the timeout. */
  const attempt = <A, E>(operation: string, request: Effect.Effect<A, E>): Effect.Effect<A, ScraperError> =>
    RateLimiter.sleep(limiter, {
      algorithm: "token-bucket",
      window: "1 second",
      limit: options.requestsPerSecond,
      key: base.origin
    }).pipe(
      Effect.orDie,
      Effect.andThen(
        request.pipe(
          Effect.mapError(fail(operation)),
          Effect.timeoutOrElse({
            duration: options.attemptTimeout,
            orElse: () => fail(operation)(new Unavailable({ status: null, detail: "timed out", retryAfterMs: null }))
          })
        )
      ),
      slots.withPermit
    )

  /**
   * An attempt whose answer is taken apart here. It is parsed once the attempt is over: what it ends with outlives its fibers,
   * and a parsed answer that does costs the collector a third more.
   */
  const exchange = <A, E>(
    operation: string,
    request: Effect.Effect<HttpClientResponse.HttpClientResponse, E>,
    decode: (raw: unknown) => Effect.Effect<A, Unreadable>
  ): Effect.Effect<A, ScraperError> =>
    attempt(operation, Effect.flatMap(request, bodyOf)).pipe(
      Effect.flatMap((body) => Effect.mapError(Effect.flatMap(parse(body), decode), fail(operation)))
    )

  const extract = (operation: string, payload: ExtractRequest) =>
    exchange(operation, api.extract.createExtraction({ payload, responseMode: "response-only" }), startedExtraction)

  /** A request that may cost tokens: sent once. */
  const submit = <A>(sent: Effect.Effect<A, ScraperError>): Effect.Effect<A, ScraperError> =>
    Effect.gen(function* () {
      const counter = yield* CurrentRequestCounter
      counter.submitted++
      return yield* sent
    })

  /** A request that changes nothing: an outage is waited out. A job that is not known is the caller's to ask for again. */
  const read = <A>(sent: Effect.Effect<A, ScraperError>, isFinal = isUnknown): Effect.Effect<A, ScraperError> =>
    outage.waitOut(sent, isFinal)

  /** A read of a job, by whatever id the API gave it. */
  const readJob = <A extends { readonly job_id: string }>(
    operation: string,
    kind: ListedKind,
    jobId: JobId,
    slice: Slice | undefined,
    decode: (raw: unknown) => Effect.Effect<A, Unreadable>
  ): Effect.Effect<A, ScraperError> => {
    const urlParams = slice === undefined ? {} : { page: slice.page, page_size: slice.pageSize }
    const request = HttpClientRequest.get(pathOf(kind, jobId), { urlParams })
    // From here on it goes by the id it was asked for, whatever the spelling of the answer.
    const ofJob = (answer: A) =>
      isSameJob(answer.job_id, jobId)
        ? Effect.succeed({ ...answer, job_id: jobId })
        : fail(operation)(new Unreadable({ detail: "it is about another job than the one asked for", broken: false }))
    const sent = Effect.flatMap(exchange(operation, httpClient.execute(request), decode), ofJob)
    // A server that counts from 1 refuses it: there is nothing to wait out.
    return slice?.page === 0 ? sent : read(sent)
  }

  const cancel = (operation: string, kind: ListedKind, jobId: JobId): Effect.Effect<void, ScraperError> =>
    submit(Effect.asVoid(attempt(operation, httpClient.execute(HttpClientRequest.delete(pathOf(kind, jobId))))))

  return Scraper.of({
    origin: base.origin,
    api,
    createCrawl: Effect.fn("Scraper.createCrawl")((payload) =>
      submit(exchange("start crawl", api.crawl.createCrawl({ payload, responseMode: "response-only" }), accepted))
    ),
    getCrawl: Effect.fn("Scraper.crawl")((jobId, slice) => readJob("read crawl", "crawl", jobId, slice, crawlAnswer)),
    cancelCrawl: Effect.fn("Scraper.cancelCrawl")((jobId) => cancel("cancel crawl", "crawl", jobId)),
    createBatch: Effect.fn("Scraper.createBatch")((payload) =>
      submit(exchange("start batch", api.batch.createBatch({ payload, responseMode: "response-only" }), acceptedBatch))
    ),
    getBatch: Effect.fn("Scraper.batch")((jobId, slice) => readJob("read batch", "batch", jobId, slice, batchAnswer)),
    cancelBatch: Effect.fn("Scraper.cancelBatch")((jobId) => cancel("cancel batch", "batch", jobId)),
    createExtraction: Effect.fn("Scraper.createExtraction")((request) =>
      submit(extract("start extraction", { ...request, processing_mode: "async" }))
    ),
    extractNow: Effect.fn("Scraper.extractNow")((request) =>
      submit(extract("extract", { ...request, processing_mode: "sync" }))
    ),
    getExtraction: Effect.fn("Scraper.extraction")((jobId) =>
      readJob("read extraction", "extract", jobId, undefined, extractionAnswer)
    ),
    listJobs: Effect.fn("Scraper.jobs")((kind, { isFinal = () => false, page, since }) => {
      const query = { start_date: DateTime.makeUnsafe(since), page, page_size: listPageSize }
      const decode = jobList(kind, { page, pageSize: listPageSize })
      switch (kind) {
        case "crawl":
          return read(
            exchange("list crawls", api.crawl.listCrawlJobs({ query, responseMode: "response-only" }), decode),
            isFinal
          )
        case "batch":
          return read(
            exchange("list batches", api.batch.listBatchJobs({ query, responseMode: "response-only" }), decode),
            isFinal
          )
        case "extract":
          return read(
            exchange(
              "list extractions",
              api.extract.listExtractionJobs({ query, responseMode: "response-only" }),
              decode
            ),
            isFinal
          )
      }
    }),
    getAccountUsage: Effect.fn("Scraper.getAccountUsage")(({ from, to }) => {
      const query = { start_date: DateTime.makeUnsafe(from), end_date: DateTime.makeUnsafe(to) }
      const asked = api.statistics.getStatistics({ query, responseMode: "response-only" })
      return read(exchange("read statistics", asked, accountUsage), isRefusal)
    }),
    map: Effect.fn("Scraper.map")((payload) =>
      submit(exchange("map", api.map.mapUrls({ payload, responseMode: "response-only" }), mapAnswer))
    )
  })
})

/** A job that is not known is no outage. */
const isUnknown = ({ reason }: ScraperError): boolean => reason._tag === "NotFound"

/** There is no such list, or not for this key. */
const isRefusal = ({ reason }: ScraperError): boolean =>
  reason._tag === "NotFound" || reason._tag === "InvalidRequest" || reason._tag === "Unauthorized"

/** Where a job is read and cancelled. An id is whatever the API says it is. */
const pathOf = (kind: ListedKind, jobId: JobId): string => `/v1/${kind}/${encodeURIComponent(jobId)}`

const readHeadersSentOn = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ headers: Schema.Record(Schema.String, Schema.String) }))
)

/** What a request asks to be sent to the pages' servers, such as a cookie: an answer may quote it, and an error must not. */
const headersSentOn = ({ body }: HttpClientRequest.HttpClientRequest): ReadonlyArray<string> =>
  body._tag === "Uint8Array"
    ? Option.match(readHeadersSentOn(new TextDecoder().decode(body.body)), {
        onNone: () => [],
        onSome: ({ headers }) => Object.values(headers)
      })
    : []

const isReason = Schema.is(ScraperReason)

/** An absolute http(s) URL without credentials, or one clear sentence. */
const readBaseUrl = (value: string): Effect.Effect<URL, ScraperError> => {
  const refuse = (detail: string) =>
    Effect.fail(
      new ScraperError({
        operation: "read the base URL",
        origin: "(no valid address)",
        reason: new InvalidRequest({ status: 0, detail, fields: [] })
      })
    )
  if (!URL.canParse(value)) return refuse("SCRAPER_API_BASE_URL is not an absolute URL such as https://host")
  const url = new URL(value)
  if (url.protocol !== "https:" && url.protocol !== "http:") return refuse("SCRAPER_API_BASE_URL is not http or https")
  if (url.username !== "" || url.password !== "") return refuse("SCRAPER_API_BASE_URL must not carry credentials")
  if (url.search !== "" || url.hash !== "") return refuse("SCRAPER_API_BASE_URL must end with its path")
  return Effect.succeed(url)
}
