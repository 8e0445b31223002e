import type { Duration, Effect } from "effect"
import type { Ledger, NoticeDraft } from "../ledger/Ledger.ts"
import type { Receipt } from "../ledger/Receipt.ts"
import type { AdoptionOptions } from "../source/Adoption.ts"
import type { ReaderOptions } from "../source/JobReader.ts"
import type { OrphanOptions } from "../source/Orphans.ts"
import type { BeginOptions } from "./acquire/beginRun.ts"
import type { Progress } from "./acquire/RunTracker.ts"
import type { Decision } from "./submit/makeSubmissionLog.ts"

/**
 * How a run is begun, cut and paced. Every number is a bound, and none is part of the pipeline's hash.
 *
 * Without `ledger` the ledger of the first sink that keeps one is used, else one in memory, which no later process can resume.
 * `segmentBytes` is in bytes, `segmentDelayMs` in milliseconds, `lease` and `drain` are durations.
 *
 * @example
 * ```ts
 * import type { RunOptions } from "@sluice/core"
 *
 * const patient: RunOptions = {
 *   lease: "2 minutes",
 *   segmentRecords: 500,
 *   segmentBytes: 4 * 1024 * 1024,
 *   reader: { deadline: "2 days", pollMax: "30 seconds" }
 * }
 * ```
 */
export interface RunOptions extends Partial<BeginOptions> {
  /** What to do about a submission whose answer was lost, or about jobs that no run explains; see `halted`. */
  readonly decision?: Decision
  readonly adoption?: Partial<AdoptionOptions>
  readonly orphans?: Partial<OrphanOptions>
  /** Asks for nothing more, cancels the remote jobs that are under way, and lands what has been paid for. */
  readonly cancel?: boolean
  readonly reader?: Partial<ReaderOptions>
  /**
   * A segment is closed at this many records (when absent, and the next two: as all sinks want it, or 1,000, 8 MiB and 0.5 s, and
   * the first segment then at 125, the second at 250, the third at 500),
   */
  readonly segmentRecords?: number
  /** or at about this many bytes, */
  readonly segmentBytes?: number
  /** or when its first record has waited this long. */
  readonly segmentDelayMs?: number
  /** How long an interrupted run may take to land what it has read. */
  readonly drain?: Duration.Input
  /** Attempts of a segment beyond the first, when its sink broke off. */
  readonly writeRetries?: number
  /** Called after each answer and each landed segment. */
  readonly onProgress?: (progress: Progress) => Effect.Effect<void>
  /**
   * What to tell of how an attempt ended. The notices are kept in the ledger in one step with the end; who delivers them asks its
   * `outbox`. Of a ledger without one it is not called.
   */
  readonly notices?: (receipt: Receipt, ledger: Ledger) => Effect.Effect<ReadonlyArray<NoticeDraft>>
  /** Called with the receipt, also of a run that is interrupted, whose caller gets none. */
  readonly onReceipt?: (receipt: Receipt) => Effect.Effect<void>
}

/** What the bounds of a run default to. */
export const runDefaults = {
  resume: "auto",
  lease: "30 seconds",
  drain: "10 seconds",
  writeRetries: 5
} as const

/** Options with the bounds every run has. */
export type SettledOptions = RunOptions & Required<Pick<RunOptions, keyof typeof runDefaults>>
