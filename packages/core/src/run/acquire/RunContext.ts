import type { Lease, Ledger, RunHandle, Submission } from "../../ledger/Ledger.ts"
import type { Receipt } from "../../ledger/Receipt.ts"
import type { LedgerDoubt } from "../../ledger/RunMark.ts"
import type { KeySet } from "../../record/KeySet.ts"
import type { SinkSession } from "../../sink/Sink.ts"
import type { RunVault, Vault } from "../../vault/Vault.ts"
import type { RunMarker } from "./RunMarker.ts"
import type { RunTracker } from "./RunTracker.ts"

/** A sink of a run, with what earlier attempts committed to it: page keys by job, and segment sequence numbers. */
export interface SinkTarget {
  readonly name: string
  readonly kind: string
  readonly session: SinkSession
  readonly heldKeys: ReadonlyMap<string, KeySet>
  readonly heldSegments: ReadonlySet<number>
}

/** A run that this process has acquired, with its sinks and what earlier attempts left. */
export interface RunContext {
  readonly run: RunHandle
  readonly ledger: Ledger
  readonly lease: Lease
  readonly targets: ReadonlyArray<SinkTarget>
  readonly submissions: ReadonlyMap<number, Submission>
  readonly tracker: RunTracker
  /** The earlier receipt of a run that was reopened. */
  readonly supersedes: Receipt | undefined
  readonly vault: (RunVault & Pick<Vault, "maxBytes">) | undefined
  /** Keeps the high-water mark of the run, and why its ledger may lack what was paid for; absent for a run that pays nothing. */
  readonly mark?: RunMarker
  readonly doubt?: LedgerDoubt | undefined
  /** The keys of a job that need not be read again: every sink holds them, or the vault does. */
  readonly seenKeys: (jobId: string) => KeySet
}
