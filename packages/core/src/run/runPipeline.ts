import { Effect } from "effect"
import { Scraper } from "../api/Scraper.ts"
import type { Receipt } from "../ledger/Receipt.ts"
import type { PipelineDefinition } from "../pipeline/makePipeline.ts"
import { adoptionDefaults } from "../source/Adoption.ts"
import { readerDefaults } from "../source/JobReader.ts"
import { recordsOf } from "../source/Source.ts"
import type { Unreconciled } from "../source/SourceError.ts"
import { CurrentSubmissionLog } from "../source/SubmissionLog.ts"
import { beginRun, RunNotBegun } from "./acquire/beginRun.ts"
import { executeRun } from "./executeRun.ts"
import type { Outcome } from "./finish/runStatus.ts"
import { type RunOptions, runDefaults, type SettledOptions } from "./RunOptions.ts"
import { BudgetTracker } from "./submit/BudgetTracker.ts"
import { makeSubmissionLog } from "./submit/makeSubmissionLog.ts"
import { remainingBudget } from "./submit/RemainingBudget.ts"

/**
 * Runs a pipeline, going on with its last run where that did not end. Connects every sink before anything is paid for. Once
 * begun, it always answers with a receipt: what stopped the run is its status and reason, not a failure of this effect. A run
 * that was interrupted, or stopped by something outside with jobs under way, stays open: its jobs go on, and running the
 * pipeline again goes on with them. One that is interrupted reads no more, lands what it has read, and then ends. The receipt's `requests` are those of this attempt.
 */
export const run = (
  pipeline: PipelineDefinition,
  options: RunOptions = {}
): Effect.Effect<Receipt, RunNotBegun, Scraper> => Effect.map(execute(pipeline, options), ({ receipt }) => receipt)

/** As {@link run}, and tells what stopped the run as a value. */
export const execute = (
  pipeline: PipelineDefinition,
  options: RunOptions = {}
): Effect.Effect<Outcome, RunNotBegun, Scraper> =>
  Effect.scoped(
    Effect.gen(function* () {
      const settled = { ...runDefaults, ...options }
      const { context, remaining } = yield* begin(pipeline, settled)
      const { tracker } = context
      const unreconciled: Array<Unreconciled> = []
      const budgetTracker = new BudgetTracker({
        clamp: pipeline.budget?.clamp ?? true,
        spent: () => {
          const { charged, reserved } = tracker.progress.tokens
          return charged + reserved
        }
      })
      budgetTracker.allow(remaining)
      const submissionLog = makeSubmissionLog(context, {
        scraper: yield* Scraper,
        adoption: { ...adoptionDefaults, ...options.adoption },
        decision: options.decision,
        cancel: options.cancel ?? false,
        budget: pipeline.budget,
        budgetTracker,
        notify: Effect.suspend(() => options.onProgress?.(tracker.progress) ?? Effect.void),
        onUnreconciled: (reason) => void unreconciled.push(reason)
      })
      return yield* executeRun(pipeline, context, settled, {
        records: recordsOf(pipeline.source, { ...readerDefaults, ...options.reader }),
        hasSubmitted: submissionLog.hasSubmitted,
        unreconciled,
        budgetTracker
      }).pipe(Effect.provideService(CurrentSubmissionLog, submissionLog))
    })
  ).pipe(Effect.withSpan("Pipeline.execute", { attributes: { pipeline: pipeline.name } }))

const begin = (pipeline: PipelineDefinition, options: SettledOptions) =>
  Effect.gen(function* () {
    const context = yield* beginRun(pipeline, options)
    return { context, remaining: yield* remainingBudget(pipeline.budget, context.ledger, context.run) }
  }).pipe(Effect.mapError((error) => new RunNotBegun({ error })))
