export type { JobListing } from "./api/JobListing.ts"
export { CurrentRequestCounter, type RequestCounter } from "./api/RequestCounter.ts"
export type { MapAnswer } from "./api/readMap.ts"
export type { EndedAnswer, StartedExtraction } from "./api/readSubmission.ts"
export type { RefusedUrl } from "./api/refusedUrls.ts"
export {
  type Accepted,
  Scraper,
  type ScraperOptions,
  type Slice,
  scraperDefaults
} from "./api/Scraper.ts"
export * as ScraperFailure from "./api/ScraperError.ts"
export { ScraperError, ScraperReason } from "./api/ScraperError.ts"
export * from "./ledger/Ledger.ts"
export { makeLedgerMemory } from "./ledger/LedgerMemory.ts"
export * from "./ledger/Receipt.ts"
export { Pipeline } from "./Pipeline.ts"
export { Budget } from "./pipeline/Budget.ts"
export { ConfigInvalid, type ConfigIssue, configJsonSchema, decodeConfig } from "./pipeline/ConfigInvalid.ts"
export { ExpectationFailed, Expectations } from "./pipeline/Expectations.ts"
export { type PipelineDefinition, PipelineName } from "./pipeline/makePipeline.ts"
export * from "./pipeline/PipelineConfig.ts"
export { blocksPublish, type PublishBlocked, QuarantineExceeded, ReadersWouldLose } from "./pipeline/PublishBlocked.ts"
export { Quarantine } from "./pipeline/Quarantine.ts"
export { typesAt } from "./pipeline/schemaAt.ts"
export { type Overlap, WhenRunning } from "./pipeline/WhenRunning.ts"
export { canonicalHash, canonicalJson } from "./record/canonicalJson.ts"
export { DriftPolicy } from "./record/Drift.ts"
export { hash64 } from "./record/hash64.ts"
export * from "./record/JobCounters.ts"
export * from "./record/JobSnapshot.ts"
export { KeySet } from "./record/KeySet.ts"
export * from "./record/PageRecord.ts"
export { hasControls, isLocalPath, isPlainText, isServiceUrl } from "./record/plainText.ts"
export {
  cleanText,
  type DeadLetter,
  deadLetterOf,
  describeInvalid,
  findInvalid,
  type InvalidReason,
  isInt4,
  rawJson,
  type ValidationReason
} from "./record/recordValidation.ts"
export * from "./record/Segment.ts"
export { addTallies, noTally, type RequirableField, type Tally, tallied, tallyOf } from "./record/Tally.ts"
export { Transform, TransformConfig } from "./record/Transform.ts"
export { PipelineChanged, type Resume, rereadWithin } from "./run/acquire/acquireRun.ts"
export { RunNotBegun } from "./run/acquire/beginRun.ts"
export type { Progress } from "./run/acquire/RunTracker.ts"
export type { AuditOptions } from "./run/auditRun.ts"
export * from "./run/deliver/PolicyError.ts"
export { keysOf } from "./run/deliver/SegmentForSink.ts"
export type { Outcome, RunFailure } from "./run/finish/runStatus.ts"
export { type PublishedRun, PublishRefused, type PublishUnpublishedOptions } from "./run/publishUnpublished.ts"
export type { RunOptions } from "./run/RunOptions.ts"
export type { Replayed, ReplayOptions } from "./run/replayRuns.ts"
export type { Decision } from "./run/submit/makeSubmissionLog.ts"
export { keepText, makeRedactor, type Redact } from "./secret/redactor.ts"
export { secretsInAddress } from "./secret/secretsInAddress.ts"
export { type AuditClaim, type AuditFinding, findingsOf } from "./sink/Audit.ts"
export type { PlannedRun } from "./sink/PlannedRun.ts"
export * from "./sink/Publication.ts"
export * from "./sink/Sink.ts"
export * from "./sink/SinkError.ts"
export { type AdoptionOptions, Ambiguous } from "./source/Adoption.ts"
export { Batch, BatchOptions } from "./source/Batch.ts"
export { Crawl, CrawlOptions } from "./source/Crawl.ts"
export { Extract, ExtractOptions } from "./source/Extract.ts"
export { type ReaderOptions, readerDefaults } from "./source/JobReader.ts"
export { recordOfResult } from "./source/recordOfResult.ts"
export { MapOptions, SiteMap } from "./source/SiteMap.ts"
export { Source } from "./source/Source.ts"
export * from "./source/SourceError.ts"
export * from "./source/SubmissionLog.ts"
export * from "./source/SubmitFailure.ts"
export { samplePages } from "./source/samplePages.ts"
export { recordOfLine, storedLines } from "./vault/storedPages.ts"
export * from "./vault/Vault.ts"
export * as VaultEntries from "./vault/VaultEntries.ts"
