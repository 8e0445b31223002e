import { type Duration, Effect, Exit, Fiber, Option, Stream } from "effect"
import { CurrentRequestCounter, type RequestCounter } from "../api/RequestCounter.ts"
import type { Receipt } from "../ledger/Receipt.ts"
import type { PipelineDefinition } from "../pipeline/makePipeline.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import type { SourceError, Unreconciled } from "../source/SourceError.ts"
import { keepLease } from "./acquire/keepLease.ts"
import type { RunContext } from "./acquire/RunContext.ts"
import { boundsOf } from "./deliver/batchRecords.ts"
import { deliver } from "./deliver/deliver.ts"
import { readSegments } from "./deliver/readSegments.ts"
import { runPolicies } from "./deliver/runPolicies.ts"
import { segmentStoreOf } from "./deliver/SegmentStore.ts"
import { retryTransient, segmentWriter, transformer } from "./deliver/SegmentWriter.ts"
import { endRun } from "./finish/endRun.ts"
import { judgeRun } from "./finish/judgeRun.ts"
import { runPublisher } from "./finish/runPublisher.ts"
import type { Outcome, RunFailure } from "./finish/runStatus.ts"
import { runVerdict } from "./finish/runVerdict.ts"
import type { SettledOptions } from "./RunOptions.ts"
import type { BudgetTracker } from "./submit/BudgetTracker.ts"

/** The records a run reads, and what its submissions report. */
export interface RunInput<R> {
  readonly records: Stream.Stream<PageRecord, SourceError, R>
  /** Whether anything may have been paid for. */
  readonly hasSubmitted: () => boolean
  readonly unreconciled: ReadonlyArray<Unreconciled>
  readonly budgetTracker: BudgetTracker
  /** Changes the receipt before it is kept: a replay keeps the counts of the run it replays. */
  readonly receipt?: (receipt: Receipt) => Receipt
}

/** Reads the source of an acquired run, delivers its segments, publishes the run and ends it with a receipt. */
export const executeRun = Effect.fnUntraced(function* <R>(
  pipeline: PipelineDefinition,
  context: RunContext,
  options: SettledOptions,
  input: RunInput<R>
): Effect.fn.Return<Outcome, never, R> {
  const { run, targets, tracker, vault } = context
  const requests: RequestCounter = { submitted: 0, reads: 0, retries: 0 }
  const times = options.writeRetries
  const policies = runPolicies(pipeline, tracker)
  const verdict = runVerdict(context, input)
  const publisher = runPublisher(pipeline, context, times)
  // Once the vault holds all of the source, the API is not asked again.
  const records = vault?.end === undefined ? input.records : Stream.empty
  const reader = readSegments(records, context, { bounds: boundsOf(options, targets), policies })

  const work = Effect.gen(function* () {
    const failed = yield* deliver(reader.segments, {
      run,
      targets,
      store: segmentStoreOf(context),
      transform: transformer(pipeline),
      write: segmentWriter(context, times),
      times,
      notify: Effect.suspend(() => options.onProgress?.(tracker.progress) ?? Effect.void)
    })
    if (reader.isStopped()) return
    const failure = reader.failure()
    if (failure !== undefined) {
      // A sink that lacks what was paid for comes first: the next attempt meets the source's failure again, if it is still there.
      for (const error of failed.values()) return yield* error
      return yield* failure
    }
    const status = verdict.status(Exit.void)
    if (vault !== undefined && vault.end === undefined) {
      yield* retryTransient(vault.keepEnd({ status, ...verdict.reason(status, Option.none()) }), times)
    }
    const complete = targets.filter(({ name }) => !failed.has(name))
    if (status === "completed") {
      yield* judgeRun({ pipeline, tracker, targets: complete, publishable: publisher.publishable(status), times })
      yield* publisher.publish(status, complete)
    } else if (failed.size > 0) yield* publisher.publishPaid(status, complete)
    for (const error of failed.values()) return yield* error
  }).pipe(Effect.provideService(CurrentRequestCounter, requests))

  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* (): Effect.fn.Return<Outcome, never, R> {
      const worker = yield* Effect.forkChild(restore(Effect.raceFirst(work, keepLease(context))))
      const awaited = yield* Effect.exit(restore(Fiber.await(worker)))
      const exit = Exit.isSuccess(awaited) ? awaited.value : yield* drain(worker, reader.stop, options.drain)
      yield* policies.report
      return yield* endRun(context, exit, {
        pipeline,
        verdict,
        publisher,
        requests,
        hasSubmitted: input.hasSubmitted,
        amend: input.receipt ?? ((receipt) => receipt),
        notices: options.notices,
        onReceipt: options.onReceipt
      })
    })
  )
})

/** Stops reading and delivers what was read, within a time. The result is an interruption, unless the work failed. */
const drain = Effect.fnUntraced(function* (
  worker: Fiber.Fiber<void, RunFailure>,
  stop: Effect.Effect<void>,
  within: Duration.Input
) {
  yield* stop
  const bound = yield* Effect.forkChild(Effect.interruptible(Effect.delay(Fiber.interrupt(worker), within)))
  const exit = yield* Fiber.await(worker)
  yield* Fiber.interrupt(bound)
  return Exit.isSuccess(exit) ? Exit.interrupt() : exit
})
