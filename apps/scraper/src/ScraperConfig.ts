import { Context, type Redacted, Schema } from "effect"

/** What a key may do: the limits that may differ from key to key. They are explained in {@link ScraperConfig}. */
export interface KeyLimits {
  readonly maxOpenJobsPerKey: number
  readonly requestsPerMinute: number
  readonly tokenBalance: number
  readonly maxCrawlDepth: number
  readonly maxBatchUrls: number
}

/** A key of which only the SHA-256 is known, in 64 hexadecimal digits, with the limits in which it differs. */
export interface HashedKey extends Partial<KeyLimits> {
  readonly sha256: string
}

/** A proxy through which pages may be asked for. `country` is ISO 3166-1 alpha-2, or null if it is not told. */
export interface UpstreamProxy {
  readonly type: "residential" | "datacenter"
  readonly country: string | null
  /** With the credentials, if it wants some. */
  readonly url: Redacted.Redacted<string>
}

/** How the server runs. Everything but the API keys has a default. */
export interface ScraperConfig {
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string
  /** Port to listen on; 0 takes a free one. Default 0. */
  readonly port?: number
  /** Directory of the jobs. Default: a temporary one, deleted with the server. */
  readonly stateDir?: string
  /** URL of the Postgres database of the jobs, instead of a directory. A database holds the jobs of one server. Default: none. */
  readonly stateUrl?: Redacted.Redacted<string> | undefined
  /** Connections to that database, beside the one that holds it. Default 5. */
  readonly stateConnections?: number
  /** Longest time for a connection to it or a statement. Default 30,000. */
  readonly stateTimeoutMs?: number
  /** How long a database that is away is waited for before what needs it fails. Default 15,000. */
  readonly stateRetryMs?: number
  /** Keys that may call; jobs are visible only to the key that made them. At least one is required, here or hashed. */
  readonly apiKeys: ReadonlyArray<Redacted.Redacted<string>>
  /** Further keys, each with limits of its own. Default: none. */
  readonly hashedKeys?: ReadonlyArray<HashedKey>
  /** Whether targets on loopback, private and other non-public addresses may be fetched. Default false. */
  readonly allowPrivateTargets?: boolean
  /** Proxies that requests may name by `proxy`. Default: none, and `proxy` has no effect. */
  readonly proxies?: ReadonlyArray<UpstreamProxy>
  /** Least time between two requests to one host. Default 100. A longer `Crawl-delay` wins, up to `maxCrawlDelayMs`. */
  readonly hostDelayMs?: number
  /** Requests to one host at once. Default 2. */
  readonly hostConcurrency?: number
  /** Least time between two requests to a host that shows strain; doubles with each further sign of it. Default 250; 0 for none. */
  readonly slowDownMs?: number
  /** Longest time between two requests that strain leads to. Default 30,000. */
  readonly maxSlowDownMs?: number
  /** An answer that takes longer is a sign of strain: the host gets as long a rest between two requests. Default 2,000. */
  readonly slowAnswerMs?: number
  /** Longest `Retry-After` of a host that its pages wait for; they fail at once where it asks for more. Default 60,000. */
  readonly maxRetryAfterMs?: number
  /** Requests without any answer in a row after which a host is paused, and its pages fail at once. Default 10. */
  readonly maxHostFailures?: number
  /** How long a host is paused. Default 60,000. */
  readonly hostPauseMs?: number
  /** Hosts whose pace is remembered; beyond them the one that was idle longest is forgotten. Default 10,000. */
  readonly maxHosts?: number
  /** Page fetches at once, over all jobs. Default 64. */
  readonly concurrency?: number
  /** Pages of one job in work or waiting for their host's turn at once; of one host at most `hostConcurrency`. Default 128. */
  readonly pageConcurrency?: number
  /** Crawls in work at once; the others stay queued. Default 4. */
  readonly maxRunningCrawls?: number
  /** Batches in work at once; the others stay queued. Default 4. */
  readonly maxRunningBatches?: number
  /** Asynchronous extractions in work at once; the others stay queued. Default 8. */
  readonly maxRunningExtractions?: number
  /** Maps in work at once; the others wait for their turn. Default 4. */
  readonly maxRunningMaps?: number
  /** Longest time for a map, its wait included; then it is answered 408. Default 45,000. */
  readonly mapTimeoutMs?: number
  /** URLs a map lists. Default 10,000. */
  readonly maxMapLinks?: number
  /** Sitemap files read for one map. Default 50. */
  readonly maxSitemaps?: number
  /** Entries read of one sitemap file. Default 50,000, which is what the format allows. */
  readonly maxSitemapUrls?: number
  /** Longest time for one sitemap file. Default 10,000. */
  readonly sitemapTimeoutMs?: number
  /** Jobs, maps and synchronous extractions a key may have open; one more is answered 429. Default 100. */
  readonly maxOpenJobsPerKey?: number
  /** Requests a key may make in a minute; one more is answered 429. Default 0: no limit. */
  readonly requestsPerMinute?: number
  /** Tokens a key may use, ever; what may cost more than is left of them is answered 402. Default: no limit. */
  readonly tokenBalance?: number
  /** Finished jobs kept, of each kind; older ones are deleted at start and as new ones come. Default 1000. */
  readonly retainJobs?: number
  /** Days that finished jobs and ended deliveries are kept. Default: no limit. */
  readonly retainDays?: number
  /** Bytes of finished jobs kept, of each kind, the newest first. Default: no limit. */
  readonly retainBytes?: number
  /** How often what has grown too old is looked for. Default 600,000, ten minutes. */
  readonly sweepEveryMs?: number
  /** Days for which statistics keep single hours; of older ones only the tokens are kept. Default 400. */
  readonly retainUsageDays?: number
  /** Most bytes of a page, after decompression. Default 10 MiB. */
  readonly maxPageBytes?: number
  /** About how many bytes of page bodies larger than 256 KiB are in memory at once, over all jobs. Default 64 MiB. */
  readonly bodyBudgetBytes?: number
  /** Most bytes of the headers of an answer. Default 16 KiB. */
  readonly maxTargetHeaderBytes?: number
  /** How many times its compressed size a body may have, past the first MiB. Default 200. */
  readonly maxInflation?: number
  /** Least bytes a second, on average, that a target must send once its body has taken 10 s. Default 512. */
  readonly minBytesPerSecond?: number
  /** Longest time for one attempt at a page, redirects and body included. Default 30,000. */
  readonly pageTimeoutMs?: number
  /** Redirects followed. Default 10. */
  readonly maxRedirects?: number
  /** Further attempts after a transient failure. Default 2. */
  readonly retries?: number
  /** Wait before the first further attempt; doubles each time. `Retry-After` of the target wins up to 10 s. Default 500. */
  readonly retryDelayMs?: number
  /** Whether `robots.txt` is obeyed. Default true. */
  readonly respectRobots?: boolean
  /** Longest `Crawl-delay` honoured. Default 10,000. */
  readonly maxCrawlDelayMs?: number
  /** Most bytes of a request's body. Default 1 MiB. */
  readonly maxRequestBytes?: number
  /** How long a stopping server may take to finish its open requests. Default 8000: container engines give 10 s for all of it. */
  readonly drainTimeoutMs?: number
  /** Port on which `/metrics` is served for Prometheus, on the same address; 0 takes a free one. Default: none. */
  readonly metricsPort?: number | undefined
  /** Jobs that wait from which on `/health` says `degraded`. Default 100. */
  readonly degradedAtQueuedJobs?: number
  /** How often `/health` has the state written to at most, to see whether it can be. Default 5000. */
  readonly healthProbeEveryMs?: number
  /** Longest time for that. Default 2000. */
  readonly healthProbeTimeoutMs?: number
  /** Most bytes of a request's line and headers; more are answered 431. Default 16 KiB. */
  readonly maxHeaderBytes?: number
  /** Longest time until a request's headers are there; then it is answered 408. Default 10,000. */
  readonly headersTimeoutMs?: number
  /** Longest time until a request is there, its body included; then it is answered 408. Default 30,000. */
  readonly requestTimeoutMs?: number
  /** How long a connection is kept on which nothing is asked. Default 5000. */
  readonly keepAliveTimeoutMs?: number
  /** Connections at once; one more is closed as it comes. Default 1024. */
  readonly maxConnections?: number
  /** Whether the sitemaps of a site lead on from the first page of its crawls, as that page's links do. Default false. */
  readonly crawlSitemaps?: boolean
  /** Which pages of a crawl are dropped as another one under a second URL: those that name the same canonical URL
   * and say the same, those that say the same, or none (`keep`). Default `canonical`. */
  readonly duplicates?: "keep" | "canonical" | "content"
  /** Longest URL that a crawl follows. Default 2,048. */
  readonly maxCrawlUrlLength?: number
  /** Hosts of one crawl. Default 1,000. */
  readonly maxCrawlHosts?: number
  /** Pages of one crawl whose URLs differ only by a date. Default 400. */
  readonly maxCalendarPages?: number
  /** Pages of one crawl whose URLs differ only by their query. Default 5,000. */
  readonly maxQueryVariants?: number
  /** Of those, how many with three parameters or more. Default 500. */
  readonly maxFacets?: number
  /** Pages of one host that say the same, word for word, and whose links are followed all the same. Default 20. */
  readonly maxEchoes?: number
  /** Pages of a crawl whose request has no `limit`. Default 100. */
  readonly defaultCrawlLimit?: number
  /** Deepest crawl allowed; a deeper one is refused with the envelope. Default 10. */
  readonly maxCrawlDepth?: number
  /** URLs of one batch; more are refused with the envelope. Default 1000, which is also the contract's bound. */
  readonly maxBatchUrls?: number
  /** Webhook subscriptions of a key. Default 10. */
  readonly maxWebhooksPerKey?: number
  /** Attempts at a delivery, the first included; then it is abandoned. Default 6. */
  readonly webhookAttempts?: number
  /** Wait before the second attempt; four times as long before each further one. Default 10,000: the sixth is after an hour. */
  readonly webhookRetryDelayMs?: number
  /** Longest time for one attempt. Default 10,000. */
  readonly webhookTimeoutMs?: number
  /** Deliveries sent at once, over all subscriptions. Default 4. */
  readonly webhookConcurrency?: number
  /** Deliveries of a subscription that wait for their time; one more is abandoned at once. Default 1000. */
  readonly maxPendingDeliveries?: number
  /** Ended deliveries of a subscription that are kept. Default 1000. */
  readonly retainDeliveries?: number
  /** How long after a rotation deliveries are signed with the old secret as well. Default 0: it dies at once. */
  readonly webhookSecretOverlapMs?: number
  /** The Chromium that renders pages: its path, `auto` for the first that is found, or `none`. Default `auto`. */
  readonly chromium?: string
  /** Pages in the browser at once; the others wait for their turn. Default 4. */
  readonly browserPages?: number
  /** Pages that may wait for the browser; one more fails. Default 200. */
  readonly maxWaitingRenders?: number
  /** Longest time for a page in the browser; a `wait_timeout` may shorten it, not lengthen. Default 30,000. */
  readonly renderTimeoutMs?: number
  /** Most bytes that a page in the browser may send and receive beside its document. Default 50 MiB. */
  readonly maxRenderTrafficBytes?: number
  /** MiB of JavaScript heap a page may use; past it the page crashes. Default 512. */
  readonly browserHeapMiB?: number
  /** Pages that one browser process renders before a new one is started. Default 500. */
  readonly maxBrowserUses?: number
  /** Age at which a browser process is replaced. Default 1,800,000, half an hour. */
  readonly maxBrowserAgeMs?: number
  /** How long a browser process is kept that has nothing to do. Default 60,000. */
  readonly browserIdleMs?: number
  /** What of a page becomes Markdown: `page`, all of it, or `main`, without menus, advertising and the like. Default `page`. */
  readonly markdownExtent?: "page" | "main"
  /** Most bytes of a page that is converted at once; larger ones are converted in threads, beside the server. Default 32 KiB. */
  readonly inlineConversionBytes?: number
  /** Threads that convert pages; the other pages wait for their turn. Default 2. */
  readonly conversionThreads?: number
  /** Pages that may wait for a thread; one more fails. Default 200. */
  readonly maxWaitingConversions?: number
  /** Longest time for the conversion of a page, its wait not counted; then the thread is ended and the page fails. Default 30,000. */
  readonly conversionTimeoutMs?: number
  /** MiB of JavaScript heap a thread may use; past it the page fails. Default 1024. */
  readonly conversionHeapMiB?: number
  /** How long a thread is kept that has nothing to do. Default 60,000. */
  readonly conversionIdleMs?: number
  /** The `Accept-Language` header of requests that bring none of their own. Default: none. */
  readonly acceptLanguage?: string | undefined
  /** The `User-Agent` header, whose first word is also the name looked up in `robots.txt`. Default `sluice-scraper/<version>`. */
  readonly userAgent?: string
}

/** The version the server gives of itself. */
export const version = "0.1.0"

/** A configuration with its defaults filled in. */
export type Settings = Required<Omit<ScraperConfig, "stateDir" | "stateUrl" | "metricsPort" | "acceptLanguage">> & {
  readonly acceptLanguage: string | undefined
  readonly metricsPort: number | undefined
  readonly stateDir: string | undefined
  readonly stateUrl: Redacted.Redacted<string> | undefined
}

/** Fills in the defaults. */
export const withDefaults = (config: ScraperConfig): Settings => ({
  host: "127.0.0.1",
  port: 0,
  stateDir: undefined,
  stateUrl: undefined,
  stateConnections: 5,
  stateTimeoutMs: 30_000,
  stateRetryMs: 15_000,
  hashedKeys: [],
  allowPrivateTargets: false,
  proxies: [],
  hostDelayMs: 100,
  hostConcurrency: 2,
  slowDownMs: 250,
  maxSlowDownMs: 30_000,
  slowAnswerMs: 2_000,
  maxRetryAfterMs: 60_000,
  maxHostFailures: 10,
  hostPauseMs: 60_000,
  maxHosts: 10_000,
  concurrency: 64,
  pageConcurrency: 128,
  maxRunningCrawls: 4,
  maxRunningBatches: 4,
  maxRunningExtractions: 8,
  maxRunningMaps: 4,
  mapTimeoutMs: 45_000,
  maxMapLinks: 10_000,
  maxSitemaps: 50,
  maxSitemapUrls: 50_000,
  sitemapTimeoutMs: 10_000,
  maxOpenJobsPerKey: 100,
  requestsPerMinute: 0,
  tokenBalance: Number.POSITIVE_INFINITY,
  retainJobs: 1000,
  retainDays: Number.POSITIVE_INFINITY,
  retainBytes: Number.POSITIVE_INFINITY,
  sweepEveryMs: 600_000,
  retainUsageDays: 400,
  maxPageBytes: 10 * 1024 * 1024,
  bodyBudgetBytes: 64 * 1024 * 1024,
  maxTargetHeaderBytes: 16 * 1024,
  maxInflation: 200,
  minBytesPerSecond: 512,
  pageTimeoutMs: 30_000,
  maxRedirects: 10,
  retries: 2,
  retryDelayMs: 500,
  respectRobots: true,
  maxCrawlDelayMs: 10_000,
  maxRequestBytes: 1024 * 1024,
  drainTimeoutMs: 8000,
  metricsPort: undefined,
  degradedAtQueuedJobs: 100,
  healthProbeEveryMs: 5000,
  healthProbeTimeoutMs: 2000,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 5000,
  maxConnections: 1024,
  crawlSitemaps: false,
  duplicates: "canonical",
  maxCrawlUrlLength: 2_048,
  maxCrawlHosts: 1_000,
  maxCalendarPages: 400,
  maxQueryVariants: 5_000,
  maxFacets: 500,
  maxEchoes: 20,
  defaultCrawlLimit: 100,
  maxCrawlDepth: 10,
  maxBatchUrls: 1000,
  maxWebhooksPerKey: 10,
  webhookAttempts: 6,
  webhookRetryDelayMs: 10_000,
  webhookTimeoutMs: 10_000,
  webhookConcurrency: 4,
  maxPendingDeliveries: 1000,
  retainDeliveries: 1000,
  webhookSecretOverlapMs: 0,
  chromium: "auto",
  browserPages: 4,
  maxWaitingRenders: 200,
  renderTimeoutMs: 30_000,
  maxRenderTrafficBytes: 50 * 1024 * 1024,
  browserHeapMiB: 512,
  maxBrowserUses: 500,
  maxBrowserAgeMs: 1_800_000,
  browserIdleMs: 60_000,
  markdownExtent: "page",
  inlineConversionBytes: 32 * 1024,
  conversionThreads: 2,
  maxWaitingConversions: 200,
  conversionTimeoutMs: 30_000,
  conversionHeapMiB: 1024,
  conversionIdleMs: 60_000,
  acceptLanguage: undefined,
  userAgent: `sluice-scraper/${version}`,
  ...config
})

/** The configuration in force. */
export class ServerSettings extends Context.Service<ServerSettings, Settings>()(
  "@sluice/scraper/ScraperConfig/ServerSettings"
) {}

/** The server could not start: the port is taken, the state unusable or in use, or no key was given. */
export class ScraperStartError extends Schema.TaggedError<ScraperStartError>()("ScraperStartError", {
  message: Schema.String,
  cause: Schema.Defect()
}) {}
