import { Effect, Option } from "effect"
import { Scraper } from "../api/Scraper.ts"
import type { Receipt } from "../ledger/Receipt.ts"
import type { PipelineDefinition } from "../pipeline/makePipeline.ts"
import { adoptionDefaults } from "../source/Adoption.ts"
import { readerDefaults } from "../source/JobReader.ts"
import { orphanDefaults } from "../source/Orphans.ts"
import type { Unreconciled } from "../source/SourceError.ts"
import { CurrentSubmissionLog } from "../source/SubmissionLog.ts"
import { boundSource } from "../source/sourceKinds.ts"
import { beginRun, RunNotBegun } from "./acquire/beginRun.ts"
import { executeRun } from "./executeRun.ts"
import { RunFailed } from "./finish/RunFailed.ts"
import type { Outcome } from "./finish/runStatus.ts"
import { type RunOptions, runDefaults, type SettledOptions } from "./RunOptions.ts"
import { BudgetTracker } from "./submit/BudgetTracker.ts"
import { makeKeyedMutex } from "./submit/KeyedMutex.ts"
import { makeSubmissionLog } from "./submit/makeSubmissionLog.ts"
import { remainingBudget } from "./submit/RemainingBudget.ts"

/**
 * Runs a pipeline to its receipt. Resumes the pipeline's last run if that has not ended. Connects every sink before anything is
 * paid for.
 *
 * Fails with {@link RunNotBegun} if nothing was submitted, and with {@link RunFailed}, which carries the receipt, if the run
 * ended as anything but `completed`. A run that was interrupted or stopped from outside stays open: its jobs keep running, and
 * the next run of the pipeline resumes them. An interruption stops reading, delivers what was read, and then ends.
 *
 * The receipt's `requests` are those of this attempt.
 *
 * @example
 * ```ts
 * import { Crawl, Pipeline, type Sink } from "@sluice/core"
 *
 * const receiptOf = (sink: Sink) =>
 *   Pipeline.run(Pipeline.make({ name: "docs", source: Crawl.make({ url: "https://example.com/" }), sinks: [sink] }))
 * ```
 */
export const run = (
  pipeline: PipelineDefinition,
  options: RunOptions = {}
): Effect.Effect<Receipt, RunNotBegun | RunFailed, Scraper> =>
  Effect.flatMap(execute(pipeline, options), ({ failure, receipt }) =>
    receipt.status === "completed"
      ? Effect.succeed(receipt)
      : Effect.fail(new RunFailed({ receipt, reason: Option.getOrNull(failure) }))
  )

/** Like {@link run}, but total once the run has begun: the outcome holds the receipt and what stopped the run, if anything. */
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
        orphans: { ...orphanDefaults, ...options.orphans },
        decision: options.decision,
        cancel: options.cancel ?? false,
        budget: pipeline.budget,
        budgetTracker,
        withLock: yield* makeKeyedMutex,
        notify: Effect.suspend(() => options.onProgress?.(tracker.progress) ?? Effect.void),
        onUnreconciled: (reason) => void unreconciled.push(reason)
      })
      return yield* executeRun(pipeline, context, settled, {
        records: boundSource(pipeline.source).stream({ ...readerDefaults, ...options.reader }),
        hasSubmitted: submissionLog.hasSubmitted,
        unreconciled,
        budgetTracker
      }).pipe(
        Effect.provideService(CurrentSubmissionLog, submissionLog),
        Effect.ensuring(context.mark?.flush ?? Effect.void)
      )
    })
  ).pipe(Effect.withSpan("Pipeline.execute", { attributes: { pipeline: pipeline.name } }))

const begin = (pipeline: PipelineDefinition, options: SettledOptions) =>
  Effect.gen(function* () {
    const context = yield* beginRun(pipeline, options)
    return { context, remaining: yield* remainingBudget(pipeline.budget, context.ledger, context.run) }
  }).pipe(Effect.mapError((reason) => new RunNotBegun({ reason })))
