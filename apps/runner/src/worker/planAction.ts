import type { ScheduledState } from "@sluice/sink-postgres"
import type { Schedule } from "../schedule/Schedule.ts"

/** What a worker does next about a pipeline. A tick is named by when it was due, epoch milliseconds. */
export type Action =
  | { readonly _tag: "Wait" }
  | { readonly _tag: "Begin"; readonly dueAt: number; readonly runId: string }
  | { readonly _tag: "Skip"; readonly dueAt: number; readonly runId: string }
  /** Carry on a run that did not end, where nobody else does. */
  | { readonly _tag: "Resume"; readonly runId: string }
  /** Cancel the run's remote jobs, and load what was paid for. */
  | { readonly _tag: "Cancel"; readonly runId: string }

/** What the worker itself knows about the open run of a pipeline. */
export interface Knowledge {
  /** Whether this worker carries it out. */
  readonly isOurs: boolean
  /** Whether its holder is a process of this machine that has died: its lease need not be waited for. */
  readonly isHolderDead: boolean
}

/** What is done about a pipeline by its schedule. An open run comes before any tick. */
export const planAction = (
  { next, open }: Pick<ScheduledState, "next" | "open">,
  { overlap }: Pick<Schedule, "overlap">,
  { isHolderDead, isOurs }: Knowledge
): Action => {
  const wait: Action = { _tag: "Wait" }
  if (open === undefined) return next === undefined || isOurs ? wait : { _tag: "Begin", ...next }
  const isFree = !isOurs && (open.holder === null || open.leaseLeftMs <= 0 || isHolderDead)
  if (next !== undefined && overlap === "cancel_previous") {
    return isOurs || isFree ? { _tag: "Cancel", runId: open.runId } : wait
  }
  // Somebody has to decide about a halted run: an attempt would halt again.
  if (isFree && open.status !== "halted") return { _tag: "Resume", runId: open.runId }
  return next !== undefined && overlap === "skip" ? { _tag: "Skip", ...next } : wait
}
