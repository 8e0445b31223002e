import { Schema } from "effect"
import { BatchOptions } from "./Batch.ts"
import { CrawlOptions } from "./Crawl.ts"
import { ExtractOptions } from "./Extract.ts"
import { MapOptions } from "./SiteMap.ts"

/** Paid work as a value: exactly one of `crawl`, `extract`, `batch` and `map`. */
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
