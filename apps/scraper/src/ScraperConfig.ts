import { Context, type Redacted, Schema } from "effect"

/** How the server runs. Everything but the API keys has a default. */
export interface ScraperConfig {
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string
  /** Port to listen on; 0 takes a free one. Default 0. */
  readonly port?: number
  /** Directory of the jobs. Default: a temporary one, deleted with the server. */
  readonly stateDir?: string
  /** Keys that may call; jobs are visible only to the key that made them. At least one is required. */
  readonly apiKeys: ReadonlyArray<Redacted.Redacted<string>>
  /** Whether targets on loopback, private and other non-public addresses may be fetched. Default false. */
  readonly allowPrivateTargets?: boolean
  /** Least time between two requests to one host. Default 100. A longer `Crawl-delay` wins, up to `maxCrawlDelayMs`. */
  readonly hostDelayMs?: number
  /** Requests to one host at once. Default 2. */
  readonly hostConcurrency?: number
  /** Page fetches at once, over all jobs. Default 16. */
  readonly concurrency?: number
  /** Pages of one job in work at once; also how many page bodies one job holds in memory. Default 8. */
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
  /** Days over which statistics tell hours apart; of what is older only the tokens are kept. Default 400. */
  readonly retainUsageDays?: number
  /** Most bytes of a page, after decompression. Default 10 MiB. */
  readonly maxPageBytes?: number
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
  /** The `User-Agent` header, whose first word is also the name looked up in `robots.txt`. Default `sluice-scraper/<version>`. */
  readonly userAgent?: string
}

/** The version the server gives of itself. */
export const version = "0.1.0"

/** A configuration with its defaults filled in. */
export type Settings = Required<Omit<ScraperConfig, "stateDir">> & { readonly stateDir: string | undefined }

/** Fills in the defaults. */
export const withDefaults = (config: ScraperConfig): Settings => ({
  host: "127.0.0.1",
  port: 0,
  stateDir: undefined,
  allowPrivateTargets: false,
  hostDelayMs: 100,
  hostConcurrency: 2,
  concurrency: 16,
  pageConcurrency: 8,
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
  retainUsageDays: 400,
  maxPageBytes: 10 * 1024 * 1024,
  pageTimeoutMs: 30_000,
  maxRedirects: 10,
  retries: 2,
  retryDelayMs: 500,
  respectRobots: true,
  maxCrawlDelayMs: 10_000,
  maxRequestBytes: 1024 * 1024,
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
  userAgent: `sluice-scraper/${version}`,
  ...config
})

/** The configuration in force. */
export class ServerSettings extends Context.Service<ServerSettings, Settings>()(
  "@sluice/scraper/ScraperConfig/ServerSettings"
) {}

/** The server could not start: the port is taken, the state directory unusable or in use, or no key was given. */
export class ScraperStartError extends Schema.TaggedError<ScraperStartError>()("ScraperStartError", {
  message: Schema.String,
  cause: Schema.Defect()
}) {}
