import { randomUUID } from "node:crypto"
import { Effect, Stream } from "effect"
import {
  type CommittedKeys,
  Fenced,
  type Ledger,
  LedgerError,
  type RunHandle,
  type RunIntent,
  type SegmentCommit,
  type Submission,
  UnknownRun
} from "./Ledger.ts"
import type { Receipt } from "./Receipt.ts"

interface Entry {
  readonly intent: RunIntent
  epoch: number
  receipt: Receipt | null
  readonly submissions: Map<number, Submission>
  readonly segments: Map<string, SegmentCommit>
}

/** A ledger that lasts as long as the process: for plain library use and for tests. */
export const makeLedgerMemory = (): Ledger => {
  const entries = new Map<string, Entry>()

  const find = (operation: string, runId: string): Effect.Effect<Entry, LedgerError> => {
    const entry = entries.get(runId)
    return entry === undefined
      ? Effect.fail(new LedgerError({ operation, reason: new UnknownRun({ runId }) }))
      : Effect.succeed(entry)
  }

  /** The entry of a run this process still holds. */
  const held = (operation: string, run: Pick<RunHandle, "runId" | "epoch">): Effect.Effect<Entry, LedgerError> =>
    find(operation, run.runId).pipe(
      Effect.filterOrFail(
        (entry) => entry.epoch === run.epoch,
        ({ epoch }) => new LedgerError({ operation, reason: new Fenced({ epoch: run.epoch, current: epoch }) })
      )
    )

  return {
    store: entries,
    begin: (intent) =>
      Effect.sync(() => {
        const runId = randomUUID()
        entries.set(runId, { intent, epoch: 1, receipt: null, submissions: new Map(), segments: new Map() })
        return { ...intent, runId, epoch: 1 }
      }),
    takeOver: (runId) =>
      find("take over", runId).pipe(
        Effect.filterOrFail(
          ({ receipt }) => receipt === null,
          () => new LedgerError({ operation: "take over", reason: new UnknownRun({ runId }) })
        ),
        Effect.map((entry) => ({ ...entry.intent, runId, epoch: ++entry.epoch }))
      ),
    intend: (run, intent) =>
      Effect.map(held("intend", run), (entry) => {
        if (!entry.submissions.has(intent.ordinal)) entry.submissions.set(intent.ordinal, { ...intent, jobId: null })
      }),
    submitted: (run, ordinal, jobId) =>
      Effect.map(held("submitted", run), (entry) => {
        const submission = entry.submissions.get(ordinal)
        if (submission !== undefined) entry.submissions.set(ordinal, { ...submission, jobId })
      }),
    submissions: (runId) =>
      Stream.unwrap(
        Effect.map(find("submissions", runId), (entry) =>
          Stream.fromIterable([...entry.submissions.values()].sort((a, b) => a.ordinal - b.ordinal))
        )
      ),
    commit: (commit) =>
      Effect.map(held("commit", commit), (entry) => {
        const key = `${commit.sink}\n${commit.seq}`
        if (!entry.segments.has(key)) entry.segments.set(key, commit)
      }),
    committed: (runId, sink) =>
      Stream.unwrap(
        Effect.map(find("committed", runId), (entry) =>
          Stream.fromIterable(
            [...entry.segments.values()]
              .filter((segment) => segment.sink === sink)
              .flatMap((segment): ReadonlyArray<CommittedKeys> => segment.keys)
          )
        )
      ),
    end: (run, receipt) =>
      Effect.map(held("end", run), (entry) => {
        entry.receipt = receipt
      }),
    runs: ({ limit, pipeline }) =>
      Effect.sync(() =>
        [...entries]
          .reverse()
          .filter(([, entry]) => pipeline === undefined || entry.intent.pipeline === pipeline)
          .slice(0, limit)
          .map(([runId, { intent, receipt }]) => ({
            runId,
            ...intent,
            status: receipt?.status ?? "running",
            finishedAt: receipt === null ? null : Date.parse(receipt.finished_at),
            receipt
          }))
      )
  }
}
