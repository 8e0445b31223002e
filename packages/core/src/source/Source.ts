import { Schema } from "effect"
import { BatchOptions } from "./Batch.ts"
import { CrawlOptions } from "./Crawl.ts"
import { ExtractOptions } from "./Extract.ts"
import { MapOptions } from "./SiteMap.ts"

/**
 * Paid work as a value, and its schema: exactly one of `crawl`, `extract`, `batch` and `map`. `Crawl.make` and its like make one;
 * the schema reads one from JSON and fails with a `SchemaError`. Defaults are filled in as it is decoded, so equal work has an equal
 * hash however it is written.
 *
 * @example
 * ```ts
 * import { Source } from "@sluice/core"
 * import { Schema } from "effect"
 *
 * const source: Source = Schema.decodeUnknownSync(Source)({ crawl: { url: "https://example.com/", limit: 10 } })
 * ```
 */
export const Source = Schema.Struct({
  crawl: Schema.optionalKey(CrawlOptions),
  extract: Schema.optionalKey(ExtractOptions),
  batch: Schema.optionalKey(BatchOptions),
  map: Schema.optionalKey(MapOptions)
})
  .check(
    Schema.makeFilter((source) => Object.keys(source).length === 1, {
      expected: "exactly one of crawl, extract, batch, map"
    })
  )
  .annotate({ identifier: "Source" })
export type Source = typeof Source.Type
