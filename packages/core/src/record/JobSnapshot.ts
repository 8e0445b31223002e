import { isTerminal, type JobStatus } from "@sluice/contract"
import { Schema } from "effect"

/** The kinds of paid work. */
export const JobKind = Schema.Literals(["crawl", "extract", "batch", "map"])
export type JobKind = typeof JobKind.Type

/**
 * A job's own counters at one instant, as the API told them. `jobId` is the API's id; a synchronous extraction or a map,
 * which have none, carry one made by us that begins with `sync-`.
 */
export interface JobSnapshot {
  readonly jobId: string
  readonly kind: JobKind
  readonly url: string
  readonly status: JobStatus
  /** Pages known so far; it grows while a crawl runs. */
  readonly discovered: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly tokensCharged: number
  readonly tokensReserved: number
  /** Pages the job has been asked for, or has discovered, that have not ended. A job that has completed owes none. */
  readonly owed?: number
  /** Epoch milliseconds of the answer that told this. */
  readonly observedAt: number
}

/** How many pages of a job have ended, whichever way: what the delivered records are reconciled with. */
export const endedPages = (snapshot: JobSnapshot): number => snapshot.completed + snapshot.failed + snapshot.cancelled

/** How many pages are to be delivered of a job: those that have ended, and of one that says it has completed also those it owes. */
export const due = (snapshot: JobSnapshot): number =>
  endedPages(snapshot) + (snapshot.status === "completed" ? (snapshot.owed ?? 0) : 0)

/**
 * Pages of a job that says it has completed which must have ended by what it has charged: a completed page costs one token. Its
 * counters may say less for a while.
 */
export const chargedPages = ({ cancelled, discovered, failed, status, tokensCharged }: JobSnapshot): number =>
  status === "completed" ? Math.min(discovered, tokensCharged + failed + cancelled) : 0

/**
 * Whether to believe an answer over an earlier one: a stale answer, or a job that goes backwards, never undoes what is known. A run
 * decides this once for each answer, and gives the snapshots it believes ascending times: stores go by {@link isLater} alone.
 */
export const isNewer = (snapshot: JobSnapshot, before: JobSnapshot): boolean =>
  isTerminal(snapshot.status) || (!isTerminal(before.status) && endedPages(snapshot) >= endedPages(before))

/** Whether a stored snapshot is replaced by another: the later one counts. */
export const isLater = (snapshot: JobSnapshot, stored: JobSnapshot): boolean => snapshot.observedAt >= stored.observedAt
