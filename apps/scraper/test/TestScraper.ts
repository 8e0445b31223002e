import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type CrawlRequest, type CrawlStatus, isTerminal, type JobId, ScraperApi } from "@sluice/contract"
import { Effect, Exit, Redacted, Schedule, Scope } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { type ScraperConfig, serve } from "../src/index.ts"

/** The keys the test server knows. */
export const keys = ["first-key", "second-key"] as const

/** Starts a server that may fetch from loopback and is in no hurry to be polite. */
export const testServer = (config: Partial<ScraperConfig> = {}) =>
  Effect.map(
    serve({
      apiKeys: keys.map((key) => Redacted.make(key)),
      allowPrivateTargets: true,
      hostDelayMs: 0,
      slowDownMs: 0,
      retryDelayMs: 1,
      drainTimeoutMs: 500,
      ...config
    }),
    ({ baseUrl }) => baseUrl
  )

/** A client derived from the contract. */
export const clientOf = (baseUrl: string, key: string = keys[0]) =>
  HttpApiClient.make(ScraperApi, {
    baseUrl,
    transformClient: HttpClient.mapRequest(HttpClientRequest.setHeader("X-Api-Key", key))
  }).pipe(Effect.provide(FetchHttpClient.layer))

/** A server and a client of its first key. */
export const testScraper = (config: Partial<ScraperConfig> = {}) => Effect.flatMap(testServer(config), clientOf)

/** A state directory for the test. */
export const stateDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "scraper-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A server that can be stopped within a test. */
export const stoppable = Effect.fnUntraced(function* (stateDir: string, config: Partial<ScraperConfig> = {}) {
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const baseUrl = yield* testServer({ stateDir, pageConcurrency: 2, ...config }).pipe(Scope.provide(scope))
  const client = yield* clientOf(baseUrl)
  return { baseUrl, client, stop: Scope.close(scope, Exit.void) }
})

export type Client = Effect.Success<ReturnType<typeof clientOf>>

/** Repeats until the condition holds; gives up after 50 seconds: a browser takes its time on a busy machine. */
export const until = <A, E, R>(poll: Effect.Effect<A, E, R>, holds: (value: A) => boolean) =>
  poll.pipe(
    Effect.repeat({ schedule: Schedule.spaced("10 millis"), until: holds, times: 5000 }),
    Effect.filterOrFail(holds, () => "the condition never held" as const)
  )

export const statusOf = (client: Client, id: JobId, query: { page?: number; page_size?: number } = { page_size: 50 }) =>
  client.crawl.getCrawl({ params: { job_id: id }, query })

/** Polls a crawl until it has ended; answers with its first 50 rows. */
export const endOf = (client: Client, id: JobId) =>
  until(statusOf(client, id), (job) => isTerminal(job.status) && job.token_summary.tokens_reserved === 0)

/** Crawls to the end. */
export const crawl = Effect.fnUntraced(function* (client: Client, payload: CrawlRequest) {
  const accepted = yield* client.crawl.createCrawl({ payload })
  return yield* endOf(client, accepted.job_id)
})

/** Path and status of each row. */
export const rowsOf = (job: CrawlStatus): ReadonlyArray<string> =>
  job.results.map((row) => `${new URL(row.url).pathname}${new URL(row.url).search} ${row.error_code ?? row.status}`)

/** A raw request; answers status, headers and the parsed body. */
export const raw = (url: string, init: RequestInit = {}) =>
  Effect.promise(async () => {
    const response = await fetch(url, init)
    const text = await response.text()
    const body: unknown = text === "" ? undefined : JSON.parse(text)
    return { status: response.status, headers: response.headers, body }
  })

/** The counters of a finished crawl add up to its rows. */
export const addsUp = (job: CrawlStatus): boolean =>
  job.completed_pages + job.failed_pages + job.cancelled_pages === job.total_pages &&
  job.token_summary.tokens_charged_total === job.completed_pages
