/** What a sink, a ledger or a vault is written against. */
export {
  type CommittedKeys,
  type CommittedSegment,
  Fenced,
  type Lease,
  LeaseHeld,
  type Ledger,
  LedgerError,
  type LedgerTransaction,
  LedgerUnavailable,
  type Notice,
  type NoticeDraft,
  type OpenRun,
  type Outbox,
  RunExists,
  type RunFilter,
  type RunHandle,
  type RunIntent,
  type RunState,
  type RunSummary,
  type SegmentCommit,
  type Submission,
  type SubmissionIntent,
  UnknownRun,
  unpublishedKept
} from "./ledger/Ledger.ts"
export { Receipt, RunStatus } from "./ledger/Receipt.ts"
export { MarkFailed, type MarkPlace, PipelineMarks, type RunMark, withMark } from "./ledger/RunMark.ts"
export { canonicalHash, canonicalJson } from "./record/canonicalJson.ts"
export { hash64 } from "./record/hash64.ts"
export { countersOf, JobCounters, snapshotOf } from "./record/JobCounters.ts"
export { isLater, JobKind, type JobSnapshot } from "./record/JobSnapshot.ts"
export { KeySet } from "./record/KeySet.ts"
export { FailureCount, mergeFailures } from "./record/PageFailures.ts"
export { type JsonObject, type PageRecord, PageStatus, pageKey, weigh } from "./record/PageRecord.ts"
export { isLocalPath, isPlainText, isServiceUrl } from "./record/plainText.ts"
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
export {
  addRows,
  type Dataset,
  type DatasetCounts,
  datasets,
  noRows,
  type Segment,
  type SegmentBounds,
  type WrittenRows
} from "./record/Segment.ts"
export { addTallies, noTally, type RequirableField, type Tally, tallied, tallyOf } from "./record/Tally.ts"
export { keysOf } from "./run/deliver/SegmentForSink.ts"
export { keepText, makeRedactor, type Redact } from "./secret/redactor.ts"
export { secretsInAddress } from "./secret/secretsInAddress.ts"
export { type AuditClaim, type AuditFinding, findingsOf } from "./sink/Audit.ts"
export type { PlannedRun } from "./sink/PlannedRun.ts"
export { Publication } from "./sink/Publication.ts"
export type {
  Commit,
  CommitResult,
  PublishPreview,
  Sink,
  SinkConnection,
  SinkSession,
  WriteResult
} from "./sink/Sink.ts"
export {
  SinkDenied,
  SinkError,
  SinkFailed,
  SinkMisconfigured,
  SinkTooNew,
  SinkUnreachable,
  Unpublishable
} from "./sink/SinkError.ts"
export type { PlannedChange, PlanSink, SinkPlan, StoreCheck, StorePlan } from "./sink/SinkPlan.ts"
export { recordOfResult } from "./source/recordOfResult.ts"
export { Source } from "./source/Source.ts"
export type { StoredPage } from "./source/SourceKind.ts"
export { samplePages } from "./source/samplePages.ts"
export { recordOfLine, storedLines } from "./vault/storedPages.ts"
export type { RunEnd, RunVault, SourceEnd, StoredRun, StoredSegment, Vault, VaultConnection } from "./vault/Vault.ts"
export * as VaultEntries from "./vault/VaultEntries.ts"
