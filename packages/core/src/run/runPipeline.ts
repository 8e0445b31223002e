import { Effect } from "effect"
import { Scraper } from "../api/Scraper.ts"
import type { Receipt } from "../ledger/Receipt.ts"
import type { PipelineDefinition } from "../pipeline/makePipeline.ts"
import { adoptionDefaults } from "../source/Adoption.ts"
import { readerDefaults } from "../source/JobReader.ts"
import { CurrentJournal } from "../source/Journal.ts"
import { recordsOf } from "../source/Source.ts"
import type { Unreconciled } from "../source/SourceError.ts"
import { beginRun, RunNotBegun } from "./beginRun.ts"
import { carryOut } from "./carryOut.ts"
import { Purse } from "./Purse.ts"
import { type RunOptions, runDefaults } from "./RunOptions.ts"
import { makeRunJournal } from "./runJournal.ts"
import type { Outcome } from "./runStatus.ts"

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
      const begun = yield* beginRun(pipeline, settled).pipe(Effect.mapError((error) => new RunNotBegun({ error })))
      const { tracker } = begun
      const unreconciled: Array<Unreconciled> = []
      const purse = new Purse({
        clamp: pipeline.budget?.clamp ?? true,
        spent: () => {
          const { charged, reserved } = tracker.progress.tokens
          return charged + reserved
        }
      })
      purse.allow(begun.allowance)
      const journal = makeRunJournal(begun, {
        scraper: yield* Scraper,
        adoption: { ...adoptionDefaults, ...options.adoption },
        decision: options.decision,
        cancel: options.cancel ?? false,
        budget: pipeline.budget,
        purse,
        tell: Effect.suspend(() => options.onProgress?.(tracker.progress) ?? Effect.void),
        onUnreconciled: (reason) => void unreconciled.push(reason)
      })
      return yield* carryOut(pipeline, begun, settled, {
        records: recordsOf(pipeline.source, { ...readerDefaults, ...options.reader }),
        hasAsked: journal.hasAsked,
        unreconciled,
        purse
      }).pipe(Effect.provideService(CurrentJournal, journal))
    })
  ).pipe(Effect.withSpan("Pipeline.execute", { attributes: { pipeline: pipeline.name } }))
