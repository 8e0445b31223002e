#!/usr/bin/env node
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, Console, Effect, Layer, Option, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { readKeyFile } from "./http/readKeyFile.ts"
import { readProxyFile } from "./net/readProxyFile.ts"
import { version } from "./ScraperConfig.ts"
import { serve } from "./Server.ts"
import { endAtSecondSignal, endedInOrder } from "./signals.ts"

const flags = {
  host: Flag.String("host").pipe(
    Flag.withDescription("Address to listen on (HOST)"),
    Flag.withFallbackConfig(Config.String("HOST")),
    Flag.withDefault("127.0.0.1")
  ),
  port: Flag.Int("port").pipe(
    Flag.withDescription("Port to listen on, 0 for a free one (PORT)"),
    Flag.withFallbackConfig(Config.Int("PORT")),
    Flag.withDefault(8080)
  ),
  stateDir: Flag.String("state-dir").pipe(
    Flag.withDescription("Directory of the jobs (SCRAPER_STATE_DIR)"),
    Flag.withFallbackConfig(Config.String("SCRAPER_STATE_DIR")),
    Flag.withDefault("./scraper-state")
  ),
  allowPrivateTargets: Flag.Boolean("allow-private-targets").pipe(
    Flag.withDescription("Fetch targets on loopback and private addresses too"),
    Flag.withDefault(false)
  ),
  hostDelayMs: Flag.Int("host-delay-ms").pipe(
    Flag.withDescription("Least time between two requests to one host"),
    Flag.withDefault(100)
  ),
  hostConcurrency: Flag.Int("host-concurrency").pipe(
    Flag.withDescription("Requests to one host at once"),
    Flag.withDefault(2)
  ),
  concurrency: Flag.Int("concurrency").pipe(Flag.withDescription("Page fetches at once"), Flag.withDefault(64)),
  crawlSitemaps: Flag.Boolean("crawl-sitemaps").pipe(
    Flag.withDescription("Have the sitemaps of a site lead on from the first page of its crawls"),
    Flag.withDefault(false)
  ),
  duplicates: Flag.Literals("duplicates", ["keep", "canonical", "content"]).pipe(
    Flag.withDescription("Which pages of a crawl are dropped as another one under a second URL"),
    Flag.withDefault("canonical")
  ),
  acceptLanguage: Flag.String("accept-language").pipe(
    Flag.withDescription("Accept-Language header of requests that bring none of their own (SCRAPER_ACCEPT_LANGUAGE)"),
    Flag.withFallbackConfig(Config.String("SCRAPER_ACCEPT_LANGUAGE")),
    Flag.optional
  ),
  apiKeysFile: Flag.String("api-keys-file").pipe(
    Flag.withDescription("File with the hashes of further keys, each with limits of its own (SCRAPER_API_KEYS_FILE)"),
    Flag.withFallbackConfig(Config.String("SCRAPER_API_KEYS_FILE")),
    Flag.optional
  ),
  proxiesFile: Flag.String("proxies-file").pipe(
    Flag.withDescription("File that says which proxies there are (SCRAPER_PROXIES_FILE)"),
    Flag.withFallbackConfig(Config.String("SCRAPER_PROXIES_FILE")),
    Flag.optional
  ),
  maxOpenJobsPerKey: Flag.Int("max-open-jobs").pipe(
    Flag.withDescription("Jobs, maps and synchronous extractions a key may have open"),
    Flag.withDefault(100)
  ),
  maxCrawlDepth: Flag.Int("max-crawl-depth").pipe(Flag.withDescription("Deepest crawl allowed"), Flag.withDefault(10)),
  maxBatchUrls: Flag.Int("max-batch-urls").pipe(Flag.withDescription("URLs of one batch"), Flag.withDefault(1000)),
  requestsPerMinute: Flag.Int("requests-per-minute").pipe(
    Flag.withDescription("Requests a key may make in a minute, 0 for any number"),
    Flag.withDefault(0)
  ),
  tokenBalance: Flag.Int("token-balance").pipe(
    Flag.withDescription("Tokens a key may use, ever; without it there is no limit"),
    Flag.withDefault(Number.POSITIVE_INFINITY)
  ),
  chromium: Flag.String("chromium").pipe(
    Flag.withDescription(
      "Path of the Chromium that renders pages, auto to look for one, none to go without (SCRAPER_CHROMIUM)"
    ),
    Flag.withFallbackConfig(Config.String("SCRAPER_CHROMIUM")),
    Flag.withDefault("auto")
  ),
  browserPages: Flag.Int("browser-pages").pipe(
    Flag.withDescription("Pages in the browser at once"),
    Flag.withDefault(4)
  ),
  renderTimeoutMs: Flag.Int("render-timeout-ms").pipe(
    Flag.withDescription("Longest time for a page in the browser"),
    Flag.withDefault(30_000)
  ),
  retainJobs: Flag.Int("retain-jobs").pipe(
    Flag.withDescription("Finished jobs kept, of each kind"),
    Flag.withDefault(1000)
  ),
  retainDays: Flag.Int("retain-days").pipe(
    Flag.withDescription("Days that finished jobs and ended deliveries are kept; without it there is no limit"),
    Flag.withDefault(Number.POSITIVE_INFINITY)
  ),
  retainBytes: Flag.Int("retain-bytes").pipe(
    Flag.withDescription("Bytes of finished jobs kept, of each kind; without it there is no limit"),
    Flag.withDefault(Number.POSITIVE_INFINITY)
  ),
  drainTimeoutMs: Flag.Int("drain-timeout-ms").pipe(
    Flag.withDescription("How long a stopping server may take to finish its open requests"),
    Flag.withDefault(8000)
  ),
  metricsPort: Flag.Int("metrics-port").pipe(
    Flag.withDescription("Port on which /metrics is served for Prometheus (SCRAPER_METRICS_PORT)"),
    Flag.withFallbackConfig(Config.Int("SCRAPER_METRICS_PORT")),
    Flag.optional
  ),
  markdownExtent: Flag.Literals("markdown-extent", ["page", "main"]).pipe(
    Flag.withDescription("What of a page becomes Markdown: all of it, or without menus, advertising and the like"),
    Flag.withDefault("page")
  ),
  webhookSecretOverlapMs: Flag.Int("webhook-secret-overlap-ms").pipe(
    Flag.withDescription("How long after a rotation deliveries are signed with the old secret as well"),
    Flag.withDefault(0)
  )
}

const stateUrl = Config.option(Config.Redacted("SCRAPER_STATE_URL"))

const keys = Config.Redacted("SCRAPER_API_KEYS").pipe(Config.withDefault(Redacted.make("")))

/**
 * The command: serves until it is interrupted. Keys come from SCRAPER_API_KEYS, separated by commas, and, hashed, from a
 * file: a flag would show them to every process of the machine.
 */
export const scraper = Command.make(
  "sluice-scraper",
  flags,
  Effect.fnUntraced(function* ({ acceptLanguage, apiKeysFile, metricsPort, proxiesFile, ...config }) {
    const hashedKeys = Option.isSome(apiKeysFile) ? yield* readKeyFile(apiKeysFile.value) : []
    const proxies = Option.isSome(proxiesFile) ? yield* readProxyFile(proxiesFile.value) : []
    const apiKeys = Redacted.value(yield* keys)
      .split(",")
      .map((key) => key.trim())
      .filter((key) => key !== "")
      .map((key) => Redacted.make(key))
    const listening = Effect.gen(function* () {
      const { baseUrl, metricsUrl } = yield* serve({
        ...config,
        apiKeys,
        acceptLanguage: Option.getOrUndefined(acceptLanguage),
        hashedKeys,
        proxies,
        metricsPort: Option.getOrUndefined(metricsPort),
        stateUrl: Option.getOrUndefined(yield* stateUrl)
      })
      if (metricsUrl !== undefined) yield* Console.log(`Metrics on ${metricsUrl}/metrics`)
      yield* Console.log(`Listening on ${baseUrl}`)
    })
    return yield* Layer.launch(Layer.effectDiscard(listening))
  })
).pipe(Command.withDescription("Serves the Scraper API from this machine"))

if (import.meta.main) {
  endAtSecondSignal()
  scraper.pipe(
    Command.run({ version }),
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain({ teardown: endedInOrder })
  )
}
