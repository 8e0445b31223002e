export { type AdoptionOptions, Ambiguous } from "./Adoption.ts"
export type { AuditClaim, AuditFinding } from "./Audit.ts"
export type { AuditOptions } from "./auditRun.ts"
export { Batch, BatchOptions } from "./Batch.ts"
export { Budget } from "./Budget.ts"
export { RunNotBegun } from "./beginRun.ts"
export { Crawl, CrawlOptions } from "./Crawl.ts"
export { canonicalHash, canonicalJson } from "./canonicalJson.ts"
export {
  cleanText,
  type DeadLetter,
  type Dirt,
  type DirtyReason,
  dirtDetail,
  findDirt,
  isInt4,
  rawJson
} from "./DirtyRecords.ts"
export { DriftPolicy } from "./Drift.ts"
export { ExpectationFailed, Expectations } from "./Expectations.ts"
export { Extract, ExtractOptions } from "./Extract.ts"
export { PipelineChanged, type Resume } from "./holdRun.ts"
export type { JobListing } from "./JobListing.ts"
export { type ReaderOptions, readerDefaults } from "./JobReader.ts"
export * from "./JobSnapshot.ts"
export * from "./Journal.ts"
export * as KeptNotes from "./KeptNotes.ts"
export { KeySet } from "./KeySet.ts"
export { keptLines, recordOfLine } from "./keptPages.ts"
export * from "./Ledger.ts"
export { makeLedgerMemory } from "./LedgerMemory.ts"
export { type PipelineDefinition, PipelineName } from "./makePipeline.ts"
export * from "./PageRecord.ts"
export { Pipeline } from "./Pipeline.ts"
export * from "./PipelineConfig.ts"
export * from "./PolicyError.ts"
export * from "./Publication.ts"
export { Quarantine } from "./Quarantine.ts"
export * from "./Receipt.ts"
export { CurrentRequestCounter, type RequestCounter } from "./RequestCounter.ts"
export type { RunOptions } from "./RunOptions.ts"
export type { Progress } from "./RunTracker.ts"
export { recordOfResult } from "./recordOfResult.ts"
export type { Replayed, ReplayOptions } from "./replayRuns.ts"
export type { Decision } from "./runJournal.ts"
export type { Outcome, RunFailure } from "./runStatus.ts"
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
export * from "./SinkError.ts"
export { MapOptions, SiteMap } from "./SiteMap.ts"
export { Source } from "./Source.ts"
export * from "./SourceError.ts"
export * from "./SubmitFailure.ts"
export { keysOf } from "./segmentCommit.ts"
export { addTallies, noTally, type RequirableField, type Tally, tallied, tallyOf } from "./Tally.ts"
export { Transform, TransformConfig } from "./Transform.ts"
export * from "./Vault.ts"
export { type Overlap, WhenRunning } from "./WhenRunning.ts"
