import { Schema, type Stream } from "effect"
import type { Scraper } from "../api/Scraper.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import { BatchOptions, stream as batchStream } from "./Batch.ts"
import { CrawlOptions, stream as crawlStream } from "./Crawl.ts"
import { ExtractOptions, stream as extractStream } from "./Extract.ts"
import type { ReaderOptions } from "./JobReader.ts"
import { MapOptions, stream as mapStream } from "./SiteMap.ts"
import type { SourceError } from "./SourceError.ts"

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

/** The records of a source, each once, as the work progresses. Running the stream pays for the work. */
export const recordsOf = (source: Source, reader: ReaderOptions): Stream.Stream<PageRecord, SourceError, Scraper> => {
  if (source.crawl !== undefined) return crawlStream(source.crawl, reader)
  if (source.extract !== undefined) return extractStream(source.extract, reader)
  if (source.batch !== undefined) return batchStream(source.batch, reader)
  return mapStream(source.map!, reader)
}
