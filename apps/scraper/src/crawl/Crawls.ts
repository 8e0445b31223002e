import { Context, Effect, Layer } from "effect"
import type { Converter } from "../conversion/Converter.ts"
import type { Fetcher } from "../fetching/Fetcher.ts"
import type { Meter } from "../jobs/Meter.ts"
import { openPageJobs, type PageJobs } from "../pages/PageJobs.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import type { StateStore } from "../state/StateStore.ts"
import type { Announcements } from "../webhooks/Announcements.ts"
import { crawlAnnouncement } from "./CrawlDocuments.ts"
import { CrawlSpec, crawlRules, mostPagesOf } from "./CrawlRules.ts"
import { SiteDiscovery } from "./SiteDiscovery.ts"

/** The crawls. One fails whose seed could not be had. */
export class Crawls extends Context.Service<Crawls, PageJobs<CrawlSpec>>()("@sluice/scraper/Crawls") {
  static readonly layer: Layer.Layer<
    Crawls,
    StoreError,
    Announcements | Converter | Fetcher | Meter | ServerSettings | SiteDiscovery | StateStore
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
        announcement: crawlAnnouncement,
        rules: (spec) => ({
          ...crawlRules(spec, settings),
          ...(settings.crawlSitemaps ? withSitemaps(spec) : {})
        }),
        maxRunning: settings.maxRunningCrawls,
        mostPages: mostPagesOf,
        hasFailed: (state) => state.pages[0] === undefined || state.pages[0].status === "failed"
      })
    })
  )
}
