import { Effect } from "effect"
import type { Ledger, LedgerError, RunHandle } from "../../ledger/Ledger.ts"
import type { LedgerDoubt, RunMark } from "../../ledger/RunMark.ts"
import type { OrphanPolicy } from "../../pipeline/OrphanPolicy.ts"

/** What a ledger is judged by. */
export interface DoubtedLedger {
  readonly ledger: Ledger
  /** Whether the ledger was given or is a sink's own: one that only lasts as long as the process is always empty. */
  readonly isKept: boolean
  readonly policy: OrphanPolicy | undefined
  readonly run: RunHandle
  /** How many submissions the ledger knows of the run. */
  readonly submissions: number
  /** The name of the ledger in its marks, and what those say. */
  readonly name: string
  readonly marks: ReadonlyArray<RunMark>
}

/** Runs of a pipeline that are looked through for one that has paid. */
const mostRuns = 20

/**
 * Why a ledger may not know all that was paid for: it lacks a run that a mark names, or has never seen the pipeline pay. None where
 * there is no reason, or where nobody wants to know.
 */
export const doubtLedger = Effect.fnUntraced(function* (
  doubted: DoubtedLedger
): Effect.fn.Return<LedgerDoubt | undefined, LedgerError> {
  const { isKept, ledger, marks, name, policy, run, submissions } = doubted
  if (policy === "ignore") return undefined
  if (policy === "check") return { why: "orphans: check is set", is_certain: true }
  const own = marks.filter(({ run_id }) => run_id === run.runId)
  if (own.length > 0) {
    const most = Math.max(...own.map((mark) => mark.submissions))
    const why = `this ledger knows ${submissions} submissions of run ${run.runId}, which has made ${most} at least`
    // An intent that was taken back is no submission any more: fewer are no proof.
    const fewer = submissions < most ? { why, is_certain: false } : undefined
    const left = own.find(({ doubt }) => doubt !== undefined)?.doubt
    return left?.is_certain === true ? left : (fewer ?? left)
  }
  const ofThis = marks.filter((mark) => mark.ledger === name)
  // A pipeline that has moved to another database has taken its runs along, or has not.
  for (const mark of ofThis.length > 0 ? ofThis : marks.slice(0, 1)) {
    if ((yield* ledger.runs({ runId: mark.run_id, limit: 1 })).length > 0) continue
    const why = `this ledger lacks run ${mark.run_id}, which began at ${mark.started_at} (has it been restored from a backup?)`
    return { why, is_certain: ofThis.length > 0 }
  }
  if (!isKept) return undefined
  const others = (yield* ledger.runs({ pipeline: run.pipeline, limit: mostRuns })).filter(
    ({ runId }) => runId !== run.runId
  )
  if (others.some(({ receipt }) => receipt === null || receipt.jobs.length > 0)) return undefined
  return { why: `this ledger knows no job of pipeline "${run.pipeline}" yet`, is_certain: false }
})
