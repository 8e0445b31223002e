/** The types that signatures of `@sluice/core` name, for programs that write them down. Nothing of it exists at run time. */

export type { JobListing, JobListPage } from "./api/JobListing.ts"
export type { MapAnswer } from "./api/readMap.ts"
export type { EndedAnswer, StartedExtraction } from "./api/readSubmission.ts"
export type { RefusedUrl } from "./api/refusedUrls.ts"
export type { Accepted, ListedKind, ScraperOptions, Slice } from "./api/Scraper.ts"
export type {
  Conflict,
  InvalidRequest,
  NotFound,
  PaymentRequired,
  RateLimited,
  ScraperReason,
  Unauthorized,
  Unavailable,
  Unreadable
} from "./api/ScraperError.ts"
export type { Budget, BudgetBound } from "./pipeline/Budget.ts"
export type { ExpectationFailed, Expectations } from "./pipeline/Expectations.ts"
export type { PipelineDefinition } from "./pipeline/makePipeline.ts"
export type { OrphanPolicy } from "./pipeline/OrphanPolicy.ts"
export type { NoContent, PublishBlocked, QuarantineExceeded, ReadersWouldLose } from "./pipeline/PublishBlocked.ts"
export type { Quarantine } from "./pipeline/Quarantine.ts"
export type { Overlap, WhenRunning } from "./pipeline/WhenRunning.ts"
export type { DriftPolicy } from "./record/Drift.ts"
export type { UrlRejection } from "./record/PageRecord.ts"
export type { AccountAudit, AccountDay, RunOfDay } from "./run/AccountAudit.ts"
export type { Acquiring, Resume } from "./run/acquire/acquireRun.ts"
export type { BeginOptions } from "./run/acquire/beginRun.ts"
export type { MarkOptions } from "./run/acquire/RunMarker.ts"
export type { AccountAuditOptions } from "./run/auditAccount.ts"
export type { AuditOptions } from "./run/auditRun.ts"
export type { ChargedWork } from "./run/ChargedWork.ts"
export type { PolicyError } from "./run/deliver/PolicyError.ts"
export type { RunFailure } from "./run/finish/runStatus.ts"
export type {
  Plan,
  PlannedAction,
  PlannedBudget,
  PlannedCall,
  PlannedCost,
  PlannedSink,
  PlannedStore
} from "./run/plan/Plan.ts"
export type { PlanOptions } from "./run/plan/planRun.ts"
export type { PublishedRun, PublishRefused, PublishUnpublishedOptions } from "./run/publishUnpublished.ts"
export type { Replayed, ReplayOptions } from "./run/replayRuns.ts"
export type { Decision } from "./run/submit/makeSubmissionLog.ts"
export type { OrphanDecision } from "./run/submit/OrphanCheck.ts"
export type { AdoptionOptions } from "./source/Adoption.ts"
export type { BatchOptions } from "./source/Batch.ts"
export type { CrawlOptions } from "./source/Crawl.ts"
export type { ExtractOptions } from "./source/Extract.ts"
export type { ReaderOptions } from "./source/JobReader.ts"
export type { OrphanOptions } from "./source/Orphans.ts"
export type { MapOptions } from "./source/SiteMap.ts"
export type { Incomplete, Uncountable, Vanished } from "./source/SourceError.ts"
