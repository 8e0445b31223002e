import type { Ledger } from "@sluice/core"
import { type Outcome, Pipeline, type RunOptions, type Scraper } from "@sluice/core"
import { type Context, Effect, Result } from "effect"
import { deliverNotices } from "../deliverNotices.ts"
import { marksOf } from "../marksOf.ts"
import { exitCodeOf, runOptionsOf } from "../runPipelineFile.ts"
import type { Action } from "./planAction.ts"
import type { ServedPipeline } from "./ServedPipeline.ts"

/** How an attempt at a run ended: with an exit code as `sluice run` has, or because another process was faster. */
export interface AttemptEnd {
  readonly exitCode: number | "outrun"
}

/** What an attempt needs beside its pipeline. */
export interface AttemptOptions {
  readonly scraper: Context.Context<Scraper>
  /** Where the file names a ledger of its own. */
  readonly ledger?: Ledger
  readonly leaseMs: number
}

/** The actions that make a run. */
export type RunAction = Exclude<Action, { readonly _tag: "Wait" | "Skip" }>

/** Begins, resumes or cancels a run, and says in the log how it ended. */
export const runAttempt = Effect.fnUntraced(function* (
  { loaded, name }: ServedPipeline,
  action: RunAction,
  { leaseMs, ledger, scraper }: AttemptOptions
) {
  const ofAction: RunOptions =
    action._tag === "Begin"
      ? { newRunId: action.runId }
      : { resume: { runId: action.runId }, cancel: action._tag === "Cancel" }
  const verb = { Begin: "begins", Resume: "is resumed", Cancel: "is cancelled" }[action._tag]
  yield* Effect.logInfo(`pipeline ${name}: run ${action.runId} ${verb}`)
  const result = yield* Pipeline.execute(loaded.pipeline, {
    ...(yield* runOptionsOf(loaded.machine)),
    marks: marksOf(loaded),
    lease: leaseMs,
    ...(ledger === undefined ? {} : { ledger }),
    ...ofAction
  }).pipe(Effect.provide(scraper), Effect.result)
  yield* deliverNotices(loaded)
  if (Result.isSuccess(result)) return yield* reportEnd(name, result.success)
  const { reason } = result.failure
  const isOutrun =
    reason._tag === "LedgerError" && ["LeaseHeld", "RunExists", "UnknownRun"].includes(reason.reason._tag)
  if (isOutrun) {
    yield* Effect.logDebug(`pipeline ${name}: another process has run ${action.runId}`)
    return { exitCode: "outrun" } satisfies AttemptEnd
  }
  yield* Effect.logWarning(
    `pipeline ${name}: run ${action.runId} could not begin, and nothing was paid: ${reason.message}`
  )
  return { exitCode: 1 } satisfies AttemptEnd
})

const reportEnd = Effect.fnUntraced(function* (name: string, outcome: Outcome) {
  const { pages, reason, run_id: runId, status, tokens } = outcome.receipt
  const counts = `${pages.delivered} pages, ${tokens.charged} tokens`
  const sentence = `pipeline ${name}: run ${runId} is ${status}: ${counts}${reason === undefined ? "" : `; ${reason}`}`
  yield* status === "completed" ? Effect.logInfo(sentence) : Effect.logWarning(sentence)
  return { exitCode: exitCodeOf(outcome) } satisfies AttemptEnd
})
