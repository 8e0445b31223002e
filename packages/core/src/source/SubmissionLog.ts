import type { JobId } from "@sluice/contract"
import { Context, Effect } from "effect"
import type { ScraperError } from "../api/ScraperError.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import type { JobKind, JobSnapshot } from "../record/JobSnapshot.ts"
import { KeySet } from "../record/KeySet.ts"
import type { Unreconciled } from "./SourceError.ts"
import type { SubmitFailure } from "./SubmitFailure.ts"

/** Paid work a source is about to ask for. `ordinal` numbers its submissions from 0, the same way on every attempt. */
export interface SubmissionRequest<Body> {
  readonly ordinal: number
  readonly kind: JobKind
  readonly url: string
  /** The most it can cost, in tokens. */
  readonly tokens: number
  /** The request body for a cost of at most the granted tokens. */
  readonly body: (granted: number) => Body
  /**
   * What is to be done when its answer was lost: look for the job in the API's lists; ask again, because asking costs
   * nothing; or give up, because nothing could be found and asking again would pay again.
   */
  readonly whenLost: "find" | "ask again" | "give up"
}

/** Whether to continue a job, or to cancel it and take what has been paid for. */
export type Verdict = "continue" | "cancel"

/**
 * What a source tells while it works, and what it may skip. The pipeline engine keeps it in the ledger; a stream used on
 * its own has the default, which remembers nothing and submits at once.
 */
export interface SubmissionLog {
  /**
   * The job for a request: one known from an earlier attempt, or the one `post` makes. None where nothing more may be asked
   * for: the source then ends, as if the work it names were done.
   */
  readonly submit: <Body>(
    request: SubmissionRequest<Body>,
    post: (body: Body) => Effect.Effect<{ readonly jobId: JobId }, ScraperError>
  ) => Effect.Effect<JobId | undefined, SubmitFailure>
  /** Whether a source that finds nothing to do has failed. */
  readonly expectsPages?: boolean
  /** Whether records are to carry the results they were made of. */
  readonly keepsRawResults?: boolean
  /** Keys of a job that every sink holds already, or a vault for it. The source counts them as seen and does not emit them. */
  readonly committed: (jobId: string) => Effect.Effect<KeySet, LedgerError>
  /** Tells a job's counters after an answer. */
  readonly progress: (snapshot: JobSnapshot) => Effect.Effect<Verdict>
  /** Tells what of a job's counters wants explaining, in a sentence, although the job was read to its end. */
  readonly explain?: (note: string) => Effect.Effect<void>
  /** Tells of something that ends nothing and that somebody should know. Without it, it is logged. */
  readonly warn?: (sentence: string) => Effect.Effect<void>
  /** Tells that a job ended without adding up. The default fails with it; the engine notes it and goes on. */
  readonly unreconciled: (reason: Unreconciled) => Effect.Effect<void, Unreconciled>
}

/** The current submission log. */
export const CurrentSubmissionLog: Context.Reference<SubmissionLog> = Context.Reference("@sluice/core/SubmissionLog", {
  defaultValue: (): SubmissionLog => ({
    submit: ({ body, tokens }, post) => Effect.map(post(body(tokens)), ({ jobId }) => jobId),
    committed: () => Effect.sync(() => new KeySet()),
    progress: () => Effect.succeed("continue"),
    unreconciled: (reason) => Effect.fail(reason)
  })
})

/** Tells of something that ends nothing and that somebody should know. */
export const warn = (sentence: string): Effect.Effect<void> =>
  Effect.flatMap(CurrentSubmissionLog, (submissionLog) => submissionLog.warn?.(sentence) ?? Effect.logWarning(sentence))
