import { type Effect, Schema, type Stream } from "effect"
import type { JobKind, JobSnapshot } from "../record/JobSnapshot.ts"
import type { FailureCount } from "../record/PageFailures.ts"
import type { DatasetCounts } from "../record/Segment.ts"
import type { Tally } from "../record/Tally.ts"
import type { Receipt, RunStatus } from "./Receipt.ts"

/** Another process has taken the run over: nothing may be written under this epoch any more. */
export class Fenced extends Schema.TaggedError<Fenced>()("Fenced", { epoch: Schema.Int, current: Schema.Int }) {}
/** Another process carries the run out, and its lease holds. */
export class LeaseHeld extends Schema.TaggedError<LeaseHeld>()("LeaseHeld", {
  runId: Schema.String,
  holder: Schema.String
}) {}
/** The store cannot be reached or broke off. `detail` says which one and how; it names no secret. */
export class LedgerUnavailable extends Schema.TaggedError<LedgerUnavailable>()("LedgerUnavailable", {
  cause: Schema.Defect(),
  detail: Schema.optionalKey(Schema.String)
}) {}
/** The run was loaded whole and ended unpublished: there is nothing to resume. */
export class EndedUnpublished extends Schema.TaggedError<EndedUnpublished>()("EndedUnpublished", {
  runId: Schema.String
}) {}
/** A run was to begin under an ID that another one has, which may have ended. */
export class RunExists extends Schema.TaggedError<RunExists>()("RunExists", { runId: Schema.String }) {}
/** The run has not ended: it claims nothing yet. */
export class NotEnded extends Schema.TaggedError<NotEnded>()("NotEnded", { runId: Schema.String }) {}
/** There is no such run. */
export class UnknownRun extends Schema.TaggedError<UnknownRun>()("UnknownRun", { runId: Schema.String }) {}

/** The vault holds results of a job, and the ledger does not know how the run submitted it: resuming the run could pay again. */
export class SubmissionsLost extends Schema.TaggedError<SubmissionsLost>()("SubmissionsLost", {
  runId: Schema.String,
  jobId: Schema.String
}) {}

/** Every failure of a ledger. */
export class LedgerError extends Schema.TaggedError<LedgerError>()("LedgerError", {
  operation: Schema.String,
  reason: Schema.Union([
    Fenced,
    LeaseHeld,
    LedgerUnavailable,
    EndedUnpublished,
    NotEnded,
    RunExists,
    UnknownRun,
    SubmissionsLost
  ])
}) {
  override get message(): string {
    return describe(this.reason, this.operation)
  }
}

const describe = (reason: LedgerError["reason"], operation: string): string => {
  switch (reason._tag) {
    case "Fenced":
      return `another process took this run over (epoch ${reason.current}, ours is ${reason.epoch}); this one stops without writing`
    case "LeaseHeld":
      return `run ${reason.runId} is being carried out by ${reason.holder}: wait for it to end, or stop it first`
    case "LedgerUnavailable":
      return `the ledger could not be reached during ${operation}${reason.detail === undefined ? "" : `: ${reason.detail}`}`
    case "EndedUnpublished":
      return `run ${reason.runId} was loaded whole and ended unpublished, so there is nothing to resume: "sluice publish ${reason.runId}" publishes it`
    case "NotEnded":
      return `run ${reason.runId} has not ended, so there is nothing to audit yet: let it end, or resume it with "sluice resume ${reason.runId}"`
    case "SubmissionsLost":
      return `the vault holds results of job ${reason.jobId}, which the ledger does not know as a submission of run ${reason.runId}: finish its replay ("sluice replay --run ${reason.runId}"), or start a new run (--fresh), which pays for new jobs`
    case "RunExists":
      return `run ${reason.runId} has begun already`
    case "UnknownRun":
      return `there is no run ${reason.runId} in this ledger`
  }
}

/** What a run is begun with. */
export interface RunIntent {
  readonly pipeline: string
  readonly configHash: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** The run of another pipeline whose kept segments this one loads; absent for a run of the pipeline's own. */
  readonly replayedFrom?: string
}

/** A run as its process holds it. A process that takes the run over gets a higher epoch. */
export interface RunHandle extends RunIntent {
  readonly runId: string
  readonly epoch: number
}

/** Paid work about to be asked for. `ordinal` numbers a run's submissions from 0, the same way on every attempt. */
export interface SubmissionIntent {
  readonly ordinal: number
  readonly kind: JobKind
  readonly url: string
  /** SHA-256 of the canonical request, in hex. */
  readonly requestHash: string
  readonly submittedAt: number
  /** The most it may cost, in tokens. */
  readonly tokens: number
}

/** An intent and, once the answer has been seen, the job it became. */
export interface Submission extends SubmissionIntent {
  readonly jobId: string | null
}

/** The keys of a job that a segment holds. */
export interface CommittedKeys {
  readonly jobId: string
  readonly keys: BigInt64Array
}

/** A segment that a sink has committed, and the epoch it was written under. */
export interface CommittedSegment {
  readonly seq: number
  readonly epoch: number
  /** The pages it holds, by job; none where it carried snapshots alone. */
  readonly keys: ReadonlyArray<CommittedKeys>
}

/**
 * Who carries a run out, and until when nobody else may. A lease is renewed while its run is carried out; past it, or when
 * its process is known to be dead, the run may be taken over.
 */
export interface Lease {
  /** Names the process: host, process id, and something of its own. */
  readonly holder: string
  /** Milliseconds from now. */
  readonly durationMs: number
}

/** A run that has not ended, as a process that may take it over finds it. */
export interface OpenRun {
  readonly runId: string
  readonly pipeline: string
  readonly configHash: string
  readonly startedAt: number
  /** As in {@link RunIntent}. */
  readonly replayedFrom?: string
  /** The process that carries it out, and for how many more milliseconds its lease holds; 0 or less is past. */
  readonly holder: string | null
  readonly leaseLeftMs: number
}

/** What earlier attempts of a run have left. Keys are asked for apart: see `committed`. */
export interface RunState {
  /** The highest sequence number of a committed segment, 0 when there is none. */
  readonly lastSeq: number
  /** The latest snapshot of each job of the run, of those that were committed. */
  readonly jobs: ReadonlyArray<JobSnapshot>
  /** What each sink has taken, by its name; of `token_summaries` all that came, see {@link SegmentCommit}. */
  readonly loaded: ReadonlyMap<
    string,
    {
      readonly rows: DatasetCounts
      readonly deadLetters: number
      readonly tally: Tally
      /** Failed pages by code; absent where there are none. */
      readonly failures?: ReadonlyArray<FailureCount>
    }
  >
  /** Names of members the contract does not know, those of all segments, in the order of JavaScript's `sort`. */
  readonly drift: ReadonlyArray<string>
}

/** The ledger entry of a segment that a sink has committed. */
export interface SegmentCommit {
  readonly runId: string
  readonly epoch: number
  readonly sink: string
  readonly seq: number
  readonly bytes: number
  readonly keys: ReadonlyArray<CommittedKeys>
  /** Snapshots that came with the segment. */
  readonly jobs: ReadonlyArray<JobSnapshot>
  /** `token_summaries` is how many snapshots came: a job's come again and again. */
  readonly rows: DatasetCounts
  /** Quarantined records. */
  readonly deadLetters: number
  /** Names of members the contract does not know, first met with the segment. */
  readonly drift?: ReadonlyArray<string>
  /** Failed pages of the segment by code; absent where there are none. */
  readonly failures?: ReadonlyArray<FailureCount>
  /** Counts over its records, quarantined ones included. */
  readonly tally: Tally
}

/** An open transaction of the store a ledger lives in. Only that store's own sink can make one. */
export interface LedgerTransaction {
  readonly store: object
  readonly connection: unknown
}

/** A run as a list shows it. `receipt` is null until the run has ended. */
export interface RunSummary {
  readonly runId: string
  readonly pipeline: string
  readonly configHash: string
  readonly status: RunStatus | "running"
  readonly startedAt: number
  /** As in {@link RunIntent}. */
  readonly replayedFrom?: string
  readonly epoch: number
  readonly finishedAt: number | null
  /** When a run that was ended unpublished was published after all; null for every other. */
  readonly publishedAt: number | null
  readonly receipt: Receipt | null
  /** Its earlier receipts, oldest first: those of a run that ended and was opened again. */
  readonly superseded: ReadonlyArray<Receipt>
}

/** Which runs are asked for; what is absent is not asked. */
export interface RunFilter {
  readonly pipeline?: string
  readonly runId?: string
  /** How the ID begins. */
  readonly idPrefix?: string
  readonly status?: RunSummary["status"]
  /** Those that began at this instant or later, in epoch milliseconds. */
  readonly since?: number
}

/** Something to tell somebody about the end of an attempt of a run. */
export interface NoticeDraft {
  /** Who is told, by a name of the pipeline's. */
  readonly target: string
  readonly event: string
  readonly receipt: Receipt
}

/** A notice that has not been delivered. */
export interface Notice extends NoticeDraft {
  /** The same at every attempt to deliver it. */
  readonly noticeId: string
  readonly createdAt: number
  /** How often it could not be delivered. */
  readonly attempts: number
}

/** Notices that were written with the end of an attempt, until they are delivered. */
export interface Outbox {
  /** Those of a pipeline that wait to be delivered, oldest first, at most `limit`. */
  readonly pending: (pipeline: string, limit: number) => Effect.Effect<ReadonlyArray<Notice>, LedgerError>
  /** Records that a notice was delivered, or that it was not. One that could not be delivered too often is given up. */
  readonly settle: (noticeId: string, isDelivered: boolean) => Effect.Effect<void, LedgerError>
  /** The event of the pipeline's newest notice, delivered or not. */
  readonly lastEvent: (pipeline: string) => Effect.Effect<string | undefined, LedgerError>
}

/** How many runs that were ended unpublished a pipeline keeps for being published after all, and for how many days each. */
export const unpublishedKept = { runs: 3, days: 30 } as const

/**
 * The truth about runs: what was about to be paid for, what it became, what was loaded where, how it ended. Every write fails with
 * {@link Fenced} once the run's epoch has been raised, which happens when another process takes the run over.
 *
 * All processes that run a pipeline must share one ledger: two ledgers pay twice. Test your own with `ledgerSuite` of
 * `@sluice/testkit`. Times are epoch milliseconds.
 *
 * @example
 * ```ts
 * import type { Ledger } from "@sluice/core"
 * import { Effect } from "effect"
 *
 * const lastStatus = (ledger: Ledger, pipeline: string) =>
 *   Effect.map(ledger.runs({ pipeline, limit: 1 }), ([run]) => run?.status)
 * ```
 */
export interface Ledger {
  /** Identity of the store: a sink living in the same one commits inside its own transaction. */
  readonly store: object
  /** Writes all that a run of the pipeline will have written, and takes it back. Absent where nothing can be refused. */
  readonly dryRun?: (pipeline: string) => Effect.Effect<void, LedgerError>
  /**
   * Begins a new run under epoch 1, held by this lease. With `unlessOpen` it is refused with {@link LeaseHeld} while `open` answers
   * a run of the pipeline; of several that are begun so at once, one is. `runId` is the ID of the run, a UUID: it is refused with
   * {@link RunExists} where a run has it. Without it the ledger chooses one.
   */
  readonly begin: (
    intent: RunIntent,
    lease: Lease,
    options?: { readonly unlessOpen: boolean; readonly runId?: string }
  ) => Effect.Effect<RunHandle, LedgerError>
  /** The newest run of a pipeline that has not ended, or the named one; none when it has ended or there is none. */
  readonly open: (
    which: { readonly pipeline: string } | { readonly runId: string }
  ) => Effect.Effect<OpenRun | undefined, LedgerError>
  /**
   * Begins a run again under its own ID: one that has ended, or that this ledger has lost. Forgets what the named sinks have
   * committed, but neither the run's submissions nor its job snapshots. The given submissions are recorded in the same step: a run
   * without them could be resumed by paying for its jobs again. The epoch is at least the given one, under which the vault may hold
   * segments that this ledger has lost. Refused with {@link LeaseHeld} while a lease is held.
   */
  readonly restore: (
    run: RunIntent & {
      readonly runId: string
      readonly epoch?: number
      readonly submissions?: ReadonlyArray<Submission>
    },
    lease: Lease,
    forgotten: ReadonlyArray<string>
  ) => Effect.Effect<RunHandle, LedgerError>
  /**
   * Takes a run over that has not ended, raising its epoch: from then on its former process can write nothing. Refused
   * with {@link LeaseHeld} while a lease holds that is not `displacing`'s.
   */
  readonly takeOver: (runId: string, lease: Lease, displacing?: string) => Effect.Effect<RunHandle, LedgerError>
  /** Holds the lease for longer. Changes nothing where it was given up. */
  readonly renew: (run: RunHandle, lease: Lease) => Effect.Effect<void, LedgerError>
  /**
   * Gives the lease up without ending the run: it can be resumed at once. `status` is how this attempt ended. Changes nothing
   * once the run has ended. Notices are kept in the same step, each once an attempt.
   */
  readonly suspend: (
    run: RunHandle,
    status: RunStatus,
    notices?: ReadonlyArray<NoticeDraft>
  ) => Effect.Effect<void, LedgerError>
  /** What earlier attempts of a run have left. */
  readonly state: (runId: string) => Effect.Effect<RunState, LedgerError>
  /** Records the intent to submit; durable before the request leaves. Repeating an ordinal changes nothing. */
  readonly recordIntent: (run: RunHandle, intent: SubmissionIntent) => Effect.Effect<void, LedgerError>
  /** Records the job an intent became. */
  readonly recordJob: (run: RunHandle, ordinal: number, jobId: string) => Effect.Effect<void, LedgerError>
  /** Takes an intent back that the API refused for certain: nothing was paid, and it may be asked for again. */
  readonly rollbackIntent: (run: RunHandle, ordinal: number) => Effect.Effect<void, LedgerError>
  /** Which of these jobs the ledger knows, of any run. */
  readonly findKnown: (jobIds: ReadonlyArray<string>) => Effect.Effect<ReadonlySet<string>, LedgerError>
  /**
   * What other runs of a pipeline have cost, of those that began from one instant, up to but not at another (epoch milliseconds). A job
   * that is not known to have ended counts with all it may still cost; so does a submission whose answer was lost.
   */
  readonly spent: (which: {
    readonly pipeline: string
    readonly exceptRun: string
    readonly from?: number
    readonly to?: number
  }) => Effect.Effect<number, LedgerError>
  /** All submissions of a run, by ordinal. */
  readonly submissions: (runId: string) => Stream.Stream<Submission, LedgerError>
  /** Records a written segment. Committing the same sink and sequence number again changes nothing. */
  readonly commit: (commit: SegmentCommit, within?: LedgerTransaction) => Effect.Effect<void, LedgerError>
  /** The segments of a run that stand in a sink, by sequence number. */
  readonly committed: (runId: string, sink: string) => Stream.Stream<CommittedSegment, LedgerError>
  /** Ends a run with its receipt, and keeps notices in the same step. Ending it again changes nothing: the first receipt is kept. */
  readonly end: (
    run: RunHandle,
    receipt: Receipt,
    notices?: ReadonlyArray<NoticeDraft>
  ) => Effect.Effect<void, LedgerError>
  /** Where notices wait to be delivered. Absent where none are kept. */
  readonly outbox?: Outbox
  /**
   * Opens a run that has ended, under the next epoch and held by this lease. Its receipt is kept among the superseded ones, and
   * the run ends with another. Refused with {@link UnknownRun} where the run is unknown, and with {@link LeaseHeld} where it is open.
   */
  readonly reopen: (runId: string, lease: Lease) => Effect.Effect<RunHandle, LedgerError>
  /**
   * Records that a run which was ended unpublished has been published after all; its receipt stays as it is. Again, it changes
   * nothing; nor does it where the run has not ended.
   */
  readonly published: (run: RunHandle, at: number) => Effect.Effect<void, LedgerError>
  /**
   * Runs of a pipeline that were ended unpublished and are kept for `sluice publish`: the newest {@link unpublishedKept}`.runs` that
   * have not been published since, none that ended longer than `unpublishedKept.days` ago. Newest first.
   */
  readonly unpublished: (pipeline: string) => Effect.Effect<ReadonlyArray<RunSummary>, LedgerError>
  /** The newest runs first, at most `limit`; or the named one. */
  readonly runs: (
    options: RunFilter & { readonly limit: number }
  ) => Effect.Effect<ReadonlyArray<RunSummary>, LedgerError>
}
