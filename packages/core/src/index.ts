export { type AdoptionOptions, Ambiguous } from "./Adoption.ts"
export { Batch, BatchOptions } from "./Batch.ts"
export { PipelineChanged, type Resume, RunNotBegun } from "./beginRun.ts"
export { Crawl, CrawlOptions } from "./Crawl.ts"
export { canonicalHash, canonicalJson } from "./canonicalJson.ts"
export { Extract, ExtractOptions } from "./Extract.ts"
export type { JobListing } from "./JobListing.ts"
export { type ReaderOptions, readerDefaults } from "./JobReader.ts"
export * from "./JobSnapshot.ts"
export * from "./Journal.ts"
export { KeySet } from "./KeySet.ts"
export * from "./Ledger.ts"
export { makeLedgerMemory } from "./LedgerMemory.ts"
export * from "./PageRecord.ts"
export { Pipeline, PipelineName } from "./Pipeline.ts"
export * from "./PipelineConfig.ts"
export * from "./Receipt.ts"
export { CurrentRequestCounter, type RequestCounter } from "./RequestCounter.ts"
export type { Progress } from "./RunTracker.ts"
export type { Decision } from "./runJournal.ts"
export type { Outcome, RunFailure, RunOptions } from "./runPipeline.ts"
export {
  type Accepted,
  type ExtractAnswer,
  Scraper,
  type ScraperOptions,
  type Slice,
  scraperDefaults
} from "./Scraper.ts"
export * as ScraperFailure from "./ScraperError.ts"
export { ScraperError, ScraperReason } from "./ScraperError.ts"
export * from "./Segment.ts"
export * from "./Sink.ts"
export { MapOptions, SiteMap } from "./SiteMap.ts"
export { Source } from "./Source.ts"
export * from "./SourceError.ts"
export { Transform, TransformConfig } from "./Transform.ts"
