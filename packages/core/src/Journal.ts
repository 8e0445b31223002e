import type { JobId } from "@sluice/contract"
import { Context, Effect } from "effect"
import type { JobKind, JobSnapshot } from "./JobSnapshot.ts"
import { KeySet } from "./KeySet.ts"
import type { LedgerError } from "./Ledger.ts"
import type { ScraperError } from "./ScraperError.ts"
import type { Incomplete, Vanished } from "./SourceError.ts"

/** Paid work a source is about to ask for. `ordinal` numbers its submissions from 0, the same way on every attempt. */
export interface SubmissionRequest {
  readonly ordinal: number
  readonly kind: JobKind
  readonly url: string
  /** The request as it goes out: what its hash is taken of. */
  readonly body: unknown
}

/** Whether to go on with a job or to cancel it and take what has been paid for. */
export type Verdict = "continue" | "cancel"

/**
 * What a source tells while it works, and what it may skip. The pipeline engine keeps it in the ledger; a stream used on
 * its own has the default, which remembers nothing and submits at once.
 */
export interface Journal {
  /** The job for a request: one known from an earlier attempt, or the one `post` makes. */
  readonly submit: (
    request: SubmissionRequest,
    post: Effect.Effect<{ readonly jobId: JobId }, ScraperError>
  ) => Effect.Effect<JobId, ScraperError | LedgerError>
  /** Keys of a job that every sink holds already. The source counts them as seen and does not emit them. */
  readonly committed: (jobId: string) => Effect.Effect<KeySet, LedgerError>
  /** Tells a job's counters after an answer. */
  readonly progress: (snapshot: JobSnapshot) => Effect.Effect<Verdict>
  /** Tells that a job ended without adding up. The default fails with it; the engine notes it and goes on. */
  readonly unreconciled: (reason: Incomplete | Vanished) => Effect.Effect<void, Incomplete | Vanished>
}

/** The journal in force. */
export const CurrentJournal: Context.Reference<Journal> = Context.Reference("@sluice/core/Journal", {
  defaultValue: (): Journal => ({
    submit: (_, post) => Effect.map(post, ({ jobId }) => jobId),
    committed: () => Effect.sync(() => new KeySet()),
    progress: () => Effect.succeed("continue"),
    unreconciled: (reason) => Effect.fail(reason)
  })
})
