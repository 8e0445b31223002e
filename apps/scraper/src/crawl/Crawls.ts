import { Context, Effect, Layer } from "effect"
import type { Converter } from "../conversion/Converter.ts"
import { openPageJobs, type PageJobs } from "../crawler/PageJobs.ts"
import type { Fetcher } from "../fetching/Fetcher.ts"
import type { UsageRecorder } from "../jobs/UsageRecorder.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import type { StateStore } from "../state/StateStore.ts"
import type { WebhookEvents } from "../webhooks/WebhookEvents.ts"
import { CrawlSpec, crawlStrategy, mostPagesOf } from "./CrawlStrategy.ts"
import { crawlEventData } from "./crawlDocuments.ts"
import { SiteDiscovery } from "./SiteDiscovery.ts"

/** The crawls. One fails whose seed could not be had. */
export class Crawls extends Context.Service<Crawls, PageJobs<CrawlSpec>>()("@sluice/scraper/crawl/Crawls") {
  static readonly layer: Layer.Layer<
    Crawls,
    StoreError,
    WebhookEvents | Converter | Fetcher | UsageRecorder | ServerSettings | SiteDiscovery | StateStore
  > = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const discovery = yield* SiteDiscovery
      const withSitemaps = ({ includeSubdomains, url }: CrawlSpec) => ({
        furtherLinks: (seed: string) => discovery.sitemapUrls({ urls: [url, seed], includeSubdomains })
      })
      return yield* openPageJobs({
        name: "crawl",
        spec: CrawlSpec,
        event: "crawl_completed",
        eventData: crawlEventData,
        strategy: (spec) => ({
          ...crawlStrategy(spec, settings),
          ...(settings.crawlSitemaps ? withSitemaps(spec) : {})
        }),
        maxRunning: settings.maxRunningCrawls,
        mostPages: mostPagesOf,
        hasFailed: (state) => state.pages[0] === undefined || state.pages[0].status === "failed"
      })
    })
  )
}
