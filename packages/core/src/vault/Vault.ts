import type { Effect, Scope, Stream } from "effect"
import type { CommittedKeys, LedgerError, RunHandle, RunIntent, Submission } from "../ledger/Ledger.ts"
import type { Receipt, RunStatus } from "../ledger/Receipt.ts"
import type { JobSnapshot } from "../record/JobSnapshot.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import type { Segment } from "../record/Segment.ts"
import type { SinkError } from "../sink/SinkError.ts"

/** A segment that is kept, without its pages. */
export interface StoredSegment {
  readonly seq: number
  /** Under which epoch of its run it was cut. */
  readonly epoch: number
  /** About what its records weigh. */
  readonly bytes: number
  readonly keys: ReadonlyArray<CommittedKeys>
  readonly jobs: ReadonlyArray<JobSnapshot>
  readonly drift: ReadonlyArray<string>
}

/** How the reading of a run's source ended. Once this is kept, the API is not asked about the run any more. */
export interface SourceEnd {
  readonly status: RunStatus
  /** Why it did not complete. */
  readonly reason?: string
}

/** What is kept of a run that is over. */
export interface RunEnd {
  readonly receipt: Receipt
  readonly submissions: ReadonlyArray<Submission>
}

/** What a vault keeps of one run, for the process that carries it out. */
export interface RunVault {
  /** What earlier attempts have left, by sequence number. */
  readonly segments: ReadonlyArray<StoredSegment>
  /** How the source ended, where an earlier attempt has read it to its end. */
  readonly end: SourceEnd | undefined
  /** Keeps a segment, whose records carry their answers. Once it is answered, the segment outlives this process. */
  readonly keep: (segment: Segment) => Effect.Effect<StoredSegment, SinkError>
  /** The records of a segment, decoded again from their raw results. */
  readonly read: (segment: StoredSegment) => Effect.Effect<ReadonlyArray<PageRecord>, SinkError>
  readonly keepEnd: (end: SourceEnd) => Effect.Effect<void, SinkError>
  /** Keeps how the run ended, for a replay. Absent where nothing is kept for that long. */
  readonly keepReceipt?: (end: RunEnd) => Effect.Effect<void, SinkError>
  /** Removes a segment that every sink has taken. Absent where segments are kept for good. */
  readonly release?: (segment: StoredSegment) => Effect.Effect<void, SinkError>
  /** Removes what is left of the run once it has ended in the ledger. Absent where runs are kept for good. */
  readonly close?: Effect.Effect<void, SinkError>
}

/** A run as a vault holds it, for replay. */
export interface StoredRun extends RunIntent {
  readonly runId: string
  /** The latest epoch it was stored under: a process that continues it needs a higher one. */
  readonly epoch: number
  /** Absent where the run is not over, or its process died as it ended. */
  readonly end: RunEnd | undefined
}

/** A vault that answers and may be written to. */
export interface VaultConnection {
  /** Told of the runs of a pipeline that have not ended: what keeps no longer than that removes the others. */
  readonly sweep?: (
    pipeline: string,
    isOpen: (runId: string) => Effect.Effect<boolean, LedgerError>
  ) => Effect.Effect<void, SinkError | LedgerError>
  /** Opens what is kept of a run, for the process that holds it: what one that has lost it still writes is not taken for kept. */
  readonly begin: (run: RunHandle) => Effect.Effect<RunVault, SinkError>
  /** The runs of a pipeline, oldest first. */
  readonly runs: (pipeline: string) => Stream.Stream<StoredRun, SinkError>
  /** What is kept of a run, to be read alone. Fails where something of it is missing. */
  readonly open: (run: StoredRun) => Effect.Effect<RunVault, SinkError>
}

/**
 * Where the answers of a run's source are kept before any sink is given them, as a value: `S3.vault`, `Directory.vault`, or
 * `Directory.spool` for a disk buffer. With it every sink of a pipeline goes at its own pace, and catches up from it after an
 * outage; what is kept for good can be replayed.
 *
 * It holds page content. `maxBytes` is in bytes before compression. Its operations fail with a `SinkError`.
 *
 * @example
 * ```ts
 * import { Crawl, Pipeline, type Vault } from "@sluice/core"
 * import { Directory, S3 } from "@sluice/sink-s3"
 *
 * const vault: Vault = S3.vault({ bucket: "raw" })
 * const pipeline = Pipeline.make({
 *   name: "docs",
 *   source: Crawl.make({ url: "https://example.com/" }),
 *   sinks: [Directory.sink({ path: "lake" })],
 *   vault
 * })
 * ```
 */
export interface Vault {
  /** What errors call it. */
  readonly name: string
  /** How much may wait for sinks, in bytes of pages before compression; past it the source is read no further. */
  readonly maxBytes: number
  readonly connect: Effect.Effect<VaultConnection, SinkError, Scope.Scope>
}
