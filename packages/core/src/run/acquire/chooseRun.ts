import { Clock, Effect } from "effect"
import type { Ledger, LedgerError, OpenRun, RunSummary } from "../../ledger/Ledger.ts"
import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import { isKnownAlive, isKnownDead } from "./LeaseHolder.ts"

/**
 * How long after it ended incomplete the next run of a pipeline reads a run's jobs again, before it begins another, in
 * milliseconds. It does so once.
 */
export const rereadWithin = 24 * 3_600_000

/** Which run of a pipeline comes next: a new one, the open one, one whose jobs are read again; `busy` while another process has it. */
export type NextRun =
  | { readonly _tag: "Begin" }
  | { readonly _tag: "Resume"; readonly open: OpenRun }
  | { readonly _tag: "Reread"; readonly ended: RunSummary }
  | { readonly _tag: "Busy"; readonly open: OpenRun }

/** Chooses the next run of a pipeline by what its ledger knows, and writes nothing. */
export const chooseRun = Effect.fnUntraced(function* (
  ledger: Ledger,
  pipeline: Pick<PipelineDefinition, "hash" | "name" | "overlap">
): Effect.fn.Return<NextRun, LedgerError> {
  const open = yield* ledger.open({ pipeline: pipeline.name })
  if (open !== undefined) {
    const isBusy = yield* (pipeline.overlap.whenRunning === "wait" ? mayBeCarriedOut : isCarriedOut)(open)
    return { _tag: isBusy ? "Busy" : "Resume", open }
  }
  const ended = yield* findRereadable(ledger, pipeline)
  return ended === undefined ? { _tag: "Begin" } : { _tag: "Reread", ended }
})

/**
 * Whether a run did not begin as the pipeline is now. One that was replayed from another pipeline did not: the vault holds nothing of it
 * under this pipeline's name, and to resume it would pay for the pages of the other one again.
 */
export const hasChanged = (
  { configHash, replayedFrom }: Pick<OpenRun, "configHash" | "replayedFrom">,
  { hash }: Pick<PipelineDefinition, "hash">
): boolean => configHash !== hash || replayedFrom !== undefined

/** The pipeline's last run, where its jobs are to be read again before another run begins. */
const findRereadable = Effect.fnUntraced(function* (
  ledger: Ledger,
  pipeline: Pick<PipelineDefinition, "hash" | "name">
): Effect.fn.Return<RunSummary | undefined, LedgerError> {
  const [last] = yield* ledger.runs({ pipeline: pipeline.name, limit: 1 })
  if (last === undefined || last.status !== "incomplete" || last.receipt === null || last.finishedAt === null) return
  const age = (yield* Clock.currentTimeMillis) - last.finishedAt
  if (last.superseded.length > 0 || age > rereadWithin || hasChanged(last, pipeline)) return
  // What was cancelled has nothing more to give.
  return last.receipt.jobs.some(({ status }) => status !== "cancelled") ? last : undefined
})

/** Whether a run is known to be carried out: a process of another host that has died is known by its lease alone. */
export const isCarriedOut = ({ holder, leaseLeftMs }: OpenRun): Effect.Effect<boolean> =>
  holder === null || leaseLeftMs <= 0 ? Effect.succeed(false) : isKnownAlive(holder)

const mayBeCarriedOut = ({ holder, leaseLeftMs }: OpenRun): Effect.Effect<boolean> =>
  holder === null || leaseLeftMs <= 0 ? Effect.succeed(false) : Effect.map(isKnownDead(holder), (isDead) => !isDead)
