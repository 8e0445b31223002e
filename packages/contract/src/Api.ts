import { HttpApi, OpenApi } from "effect/http-api"
import { BatchApi } from "./Batch.ts"
import { CrawlApi } from "./Crawl.ts"
import { finish } from "./Document.ts"
import { ExtractApi } from "./Extract.ts"
import { HealthApi } from "./Health.ts"
import { MapApi } from "./Map.ts"
import { SearchApi } from "./Search.ts"
import { StatisticsApi } from "./Statistics.ts"
import { WebhooksApi } from "./Webhooks.ts"

const api = HttpApi.make("scraper")
  .add(HealthApi)
  .add(ExtractApi)
  .add(BatchApi)
  .add(CrawlApi)
  .add(MapApi)
  .add(SearchApi)
  .add(StatisticsApi)
  .add(WebhooksApi)

/**
 * The whole wire of the Scraper API. The client and the server are both derived from this value. Each `jobs` list is
 * declared before the lookup by id beside it, so a router that goes by order finds it.
 */
export class ScraperApi extends api.annotateMerge(
  OpenApi.annotations({
    title: "Scraper API",
    version: "0.1.0",
    description: "Crawl, extract, batch and map jobs, as Sluice reads and serves them.",
    transform: finish(api)
  })
) {}

/** The OpenAPI 3.1 document of {@link ScraperApi}. */
export const openApi = (): OpenApi.OpenAPISpec => OpenApi.fromApi(ScraperApi)
