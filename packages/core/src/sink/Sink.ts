import type { Effect, Schema, Scope, Stream } from "effect"
import type { Ledger, LedgerError, LedgerTransaction, RunHandle } from "../ledger/Ledger.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import type { Segment, SegmentBounds, WrittenRows } from "../record/Segment.ts"
import type { AuditClaim, AuditFinding } from "./Audit.ts"
import type { PlannedRun } from "./PlannedRun.ts"
import type { Publication } from "./Publication.ts"
import type { SinkError } from "./SinkError.ts"
import type { PlanSink } from "./SinkPlan.ts"

/** The result of writing a segment: rows of its records, changed or not, and quarantined records. */
export interface WriteResult {
  readonly rows: WrittenRows
  readonly deadLetters: number
}

/** What a sink commits of a segment. */
export interface CommitResult extends WriteResult {
  /** The records that became dead letters or that the store dropped; absent where those are just the ones the contract refuses. */
  readonly quarantined?: ReadonlyArray<PageRecord>
}

/** Completed pages that readers are shown now, and those they would be shown once a run is published. */
export interface PublishPreview {
  readonly before: number
  readonly after: number
}

/**
 * Records a segment in the ledger. A sink calls `run` exactly once, after the segment's rows are durable, or, where
 * `store` is its own, inside the very transaction that writes them.
 */
export interface Commit {
  readonly store: object
  readonly run: (result: CommitResult, within?: LedgerTransaction) => Effect.Effect<void, LedgerError>
}

/** A sink while one run writes to it. */
export interface SinkSession {
  /**
   * How many segments may be written at once. Segments of one run hold different pages, so their order does not matter.
   */
  readonly concurrency: number
  /** How large segments should be where every sink of the pipeline has a wish; see `RunOptions`. */
  readonly wants?: SegmentBounds
  /** Writes a segment and commits it. Writing the same segment again changes nothing. */
  readonly write: (segment: Segment, commit: Commit) => Effect.Effect<WriteResult, SinkError | LedgerError>
  /**
   * After the last segment of a run that ended `completed`: lets readers see it, where writing alone does not. Publishing
   * again changes nothing: a process may have died before it could end the run.
   */
  readonly publish: Effect.Effect<void, SinkError | LedgerError, Publication>
  /**
   * In place of `publish` for a run that has ended without completing (a budget, a job that failed): what was paid for is to be
   * seen as well. Absent where it is, or where only what is complete may be seen. Again, it changes nothing.
   */
  readonly publishEnded?: Effect.Effect<void, SinkError | LedgerError, Publication>
  /**
   * What `publish` would take from readers; it changes nothing. Absent where publishing takes nothing away. After a publish of the same
   * run, both numbers are of that run.
   */
  readonly previewPublish?: Effect.Effect<PublishPreview, SinkError | LedgerError, Publication>
  /**
   * Refuses, with {@link Unpublishable}, a run that was ended unpublished and cannot be published any more: a later one has been, or
   * what it loaded is gone. It changes nothing. Absent where it always can.
   */
  readonly admitPublish?: Effect.Effect<void, SinkError | LedgerError, Publication>
  /** What readers see of a run that is loaded and not published, as a clause such as `readers see none of it`. */
  readonly unpublished?: string
}

/** A sink whose store answers, is prepared and may be written to. */
export interface SinkConnection {
  /** The ledger in the sink's own store, where it can keep one. */
  readonly ledger: Ledger | undefined
  /** Whether its readers see the last run alone: then a replay gives it none that is older than one the ledger knows. */
  readonly showsLatest?: boolean
  /** Refuses a pipeline the store cannot take as the sink is set, before a run of it is begun. */
  readonly admit?: (pipeline: string) => Effect.Effect<void, SinkError>
  /**
   * Loads made-up pages of the run the way the run will load its own, and takes all of it back: what would be refused shows
   * before anything is paid.
   */
  readonly dryLoad?: (planned: PlannedRun) => Effect.Effect<void, SinkError>
  readonly begin: (run: RunHandle) => Effect.Effect<SinkSession, SinkError>
  /** Compares what the sink holds of an ended run with what its receipt claims. Writes nothing. */
  readonly audit?: (claim: AuditClaim) => Stream.Stream<AuditFinding, SinkError>
}

/**
 * A place records are loaded into, as a value. Nothing is opened before `connect`, which fails with a `SinkError`.
 *
 * Delivery is at least once: writing a segment again must change nothing. Rows are durable before the commit, or in one
 * transaction with it. Test your own with `sinkSuite` of `@sluice/testkit`.
 *
 * @example
 * ```ts
 * import type { Sink } from "@sluice/core"
 * import { Effect } from "effect"
 *
 * /** A sink that counts and keeps nothing. *\/
 * const nowhere: Sink = {
 *   kind: "nowhere",
 *   name: "nowhere",
 *   behaviour: {},
 *   connect: Effect.succeed({
 *     ledger: undefined,
 *     begin: () =>
 *       Effect.succeed({
 *         concurrency: 1,
 *         write: ({ records }, commit) => {
 *           const result = { rows: { pages: records.length, links: 0, page_metadata: 0 }, deadLetters: 0 }
 *           return Effect.as(commit.run(result), result)
 *         },
 *         publish: Effect.void
 *       })
 *   })
 * }
 * ```
 */
export interface Sink {
  readonly kind: string
  /** Unique within a pipeline; the kind when there is one sink of it. */
  readonly name: string
  /** What it does with the records (mode, layout), as plain JSON: part of the pipeline's hash. No addresses, no secrets. */
  readonly behaviour: Schema.Json
  /** Checks the store, prepares it (tables, rights) and keeps it open for the scope. */
  readonly connect: Effect.Effect<SinkConnection, SinkError, Scope.Scope>
  /** Says what a run would do here. Writes nothing. Absent where a sink cannot tell. */
  readonly plan?: PlanSink
  /** Writes what a run would, as a trial, and takes it back; answers what was tried. Prepares nothing. Absent where a sink cannot. */
  readonly tryWrites?: Effect.Effect<string, SinkError>
}
