import { Exit, Option } from "effect"
import type { RunStatus } from "../../ledger/Receipt.ts"
import type { Unreconciled } from "../../source/SourceError.ts"
import type { RunContext } from "../acquire/RunContext.ts"
import type { BudgetTracker } from "../submit/BudgetTracker.ts"
import { type RunFailure, reasonOf, statusOf } from "./runStatus.ts"

/** How a run ends, from what has happened so far. */
export interface RunVerdict {
  readonly status: (exit: Exit.Exit<unknown, RunFailure>) => RunStatus
  readonly reason: (status: RunStatus, failure: Option.Option<RunFailure>) => { readonly reason?: string }
}

/** Judges a run by its counters. Where an earlier attempt read the source to its end, the end in the vault counts. */
export const runVerdict = (
  { tracker, vault }: Pick<RunContext, "tracker" | "vault">,
  input: { readonly unreconciled: ReadonlyArray<Unreconciled>; readonly budgetTracker: BudgetTracker }
): RunVerdict => ({
  status: (exit) =>
    Exit.isSuccess(exit) && vault?.end !== undefined
      ? vault.end.status
      : statusOf(exit, tracker, input.unreconciled, input.budgetTracker.hasKeptBack(tracker.jobs)),
  reason: (status, failure) =>
    status !== "completed" && Option.isNone(failure) && vault?.end?.reason !== undefined
      ? { reason: vault.end.reason }
      : reasonOf(status, failure, { tracker, ...input })
})
