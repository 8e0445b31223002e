import { Cause, DateTime, Deferred, Effect, Exit, Fiber, Option, Schedule, Stream } from "effect"
import { CurrentRequestCounter, type RequestCounter } from "../api/RequestCounter.ts"
import type { LedgerError } from "../ledger/Ledger.ts"
import type { Receipt, RunStatus } from "../ledger/Receipt.ts"
import type { PipelineDefinition } from "../pipeline/makePipeline.ts"
import { blocksPublish, guardOf } from "../pipeline/PublishBlocked.ts"
import { canonicalHash } from "../record/canonicalJson.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import type { SinkError } from "../sink/SinkError.ts"
import type { SourceError, Unreconciled } from "../source/SourceError.ts"
import type { RunContext, SinkTarget } from "./acquire/RunContext.ts"
import { batchRecords, boundsOf } from "./deliver/batchRecords.ts"
import { deliverApart } from "./deliver/deliverFanOut.ts"
import { deliverTogether } from "./deliver/deliverTogether.ts"
import { runPolicies } from "./deliver/runPolicies.ts"
import { isTransient, retryTransient, segmentWriter, transformer } from "./deliver/SegmentWriter.ts"
import { judgeRun } from "./finish/judgeRun.ts"
import { describeFate, isLostRun } from "./finish/lostRun.ts"
import { type Publishable, publishRun } from "./finish/publishRun.ts"
import { isFinal, type Outcome, type RunFailure, reasonOf, statusOf } from "./finish/runStatus.ts"
import type { SettledOptions } from "./RunOptions.ts"
import type { BudgetTracker } from "./submit/BudgetTracker.ts"

/** What a run reads, and what comes to light as it does. */
export interface RunInput<R> {
  readonly records: Stream.Stream<PageRecord, SourceError, R>
  /** Whether anything may have been paid for. */
  readonly hasSubmitted: () => boolean
  readonly unreconciled: ReadonlyArray<Unreconciled>
  readonly budgetTracker: BudgetTracker
  /** The receipt a run is to end with, where it is not what this attempt has seen. */
  readonly receipt?: (receipt: Receipt) => Receipt
}

/** Reads the source of a run that has begun, lands it, publishes it and ends the run with a receipt. */
export const executeRun = Effect.fnUntraced(function* <R>(
  pipeline: PipelineDefinition,
  context: RunContext,
  options: SettledOptions,
  { hasSubmitted, budgetTracker, receipt: amended = (receipt) => receipt, records, unreconciled }: RunInput<R>
): Effect.fn.Return<Outcome, never, R> {
  const { ledger, lease, run, supersedes, targets, tracker, vault } = context
  const counter: RequestCounter = { submitted: 0, reads: 0, retries: 0 }
  const notify = Effect.suspend(() => options.onProgress?.(tracker.progress) ?? Effect.void)
  const times = options.writeRetries
  const policies = runPolicies(pipeline, tracker)
  const bounds = boundsOf(options, targets)
  const stopping = yield* Deferred.make<void>()

  /** How it ended: as the vault has it where an earlier attempt read the source to its end. */
  const statusNow = (exit: Exit.Exit<unknown, RunFailure>): RunStatus =>
    Exit.isSuccess(exit) && vault?.end !== undefined
      ? vault.end.status
      : statusOf(exit, tracker, unreconciled, budgetTracker.hasKeptBack(tracker.jobs))
  const reasonNow = (status: RunStatus, failure: Option.Option<RunFailure>) =>
    status !== "completed" && Option.isNone(failure) && vault?.end?.reason !== undefined
      ? { reason: vault.end.reason }
      : reasonOf(status, failure, { tracker, unreconciled, budgetTracker })

  /** What the source failed with, once it has: what it gave before lands all the same. */
  let broken: SourceError | undefined
  const whatThereIs = Stream.catch(records, (error) =>
    Stream.suspend(() => {
      broken = error
      return Stream.empty
    })
  )

  // Once the vault holds all of it, the API is not asked again.
  const segments = (vault?.end === undefined ? whatThereIs : Stream.empty).pipe(
    Stream.interruptWhen(Deferred.await(stopping)),
    Stream.mapArrayEffect((records) => policies.admit(records)),
    Stream.aggregateWithin(batchRecords(bounds), Schedule.spaced(bounds.delayMs)),
    Stream.map(({ bytes, records }) => tracker.segment(run, records, bytes)),
    Stream.concat(Stream.suspend(() => Stream.succeed(tracker.segment(run, [], 0)))),
    Stream.filter((segment) => segment !== undefined)
  )

  const delivering = {
    targets,
    transform: transformer(pipeline),
    write: segmentWriter(context, times),
    notify
  }
  const deliver =
    vault === undefined
      ? Effect.as(deliverTogether(segments, delivering), new Map<string, SinkError>())
      : deliverApart(segments, { ...delivering, run, vault, times })

  const publishableAs = (status: RunStatus): Publishable => ({
    run,
    ledger,
    source: pipeline.source,
    status,
    jobs: tracker.jobs,
    completedIn: (sink) => tracker.loaded(sink).tally.completed,
    assertLease: ledger.renew(run, lease)
  })
  const publishAs = (status: RunStatus, targets: ReadonlyArray<SinkTarget>) =>
    publishRun(publishableAs(status), { targets, times })

  const work = Effect.gen(function* () {
    const failed = yield* deliver
    if (Deferred.isDoneUnsafe(stopping)) return
    if (broken !== undefined) return yield* broken
    const status = statusNow(Exit.void)
    if (vault !== undefined && vault.end === undefined) {
      yield* retryTransient(vault.keepEnd({ status, ...reasonNow(status, Option.none()) }), times)
    }
    const whole = targets.filter(({ name }) => !failed.has(name))
    if (status === "completed") {
      yield* judgeRun({ pipeline, tracker, targets: whole, publishable: publishableAs(status), times })
      yield* publishAs(status, whole)
    } else if (failed.size > 0) yield* show(publishAs(status, whole))
    for (const error of failed.values()) return yield* error
  }).pipe(Effect.provideService(CurrentRequestCounter, counter))

  // The run is over: what could not be tidied up is no reason to call it failed.
  const closeVault =
    vault?.close?.pipe(
      Effect.catch((error) => Effect.logWarning(`what the run had kept could not be removed: ${error.message}`))
    ) ?? Effect.void

  /** Holds the run's lease while it is carried out; ends, with what it was refused with, once another has taken it over. */
  const keepHold = ledger.renew(run, lease).pipe(
    Effect.catchIf(
      (error) => error.reason._tag === "LedgerUnavailable",
      () => Effect.logWarning("the ledger could not be reached to renew the lease")
    ),
    Effect.delay(lease.durationMs / 3),
    Effect.forever
  )

  /** Reads no more and lands what has been read, within bounds. What came of it is an interruption, unless it failed. */
  const drain = Effect.fnUntraced(function* (worker: Fiber.Fiber<void, RunFailure>) {
    yield* Deferred.succeed(stopping, undefined)
    const bound = yield* Effect.forkChild(Effect.interruptible(Effect.delay(Fiber.interrupt(worker), options.drain)))
    const exit = yield* Fiber.await(worker)
    yield* Fiber.interrupt(bound)
    return Exit.isSuccess(exit) ? Exit.interrupt() : exit
  })

  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* (): Effect.fn.Return<Outcome, never, R> {
      const worker = yield* Effect.forkChild(restore(Effect.raceFirst(work, keepHold)))
      const awaited = yield* Effect.exit(restore(Fiber.await(worker)))
      const exit = Exit.isSuccess(awaited) ? awaited.value : yield* drain(worker)
      const failure: Option.Option<RunFailure> = Exit.isFailure(exit)
        ? Cause.findErrorOption(exit.cause)
        : Option.none()
      const status = statusNow(exit)
      const hasEnded = isFinal(status, failure, hasSubmitted())
      const blocked = Option.filter(failure, blocksPublish)
      // What could not be shown to readers is shown by the next attempt: the run stays open.
      const isShown =
        status === "completed" || !hasEnded || Option.isSome(blocked) || (yield* show(publishAs(status, targets)))
      yield* policies.report
      const finished = yield* DateTime.now
      const { progress } = tracker
      const pages = { ...progress.pages, delivered: tracker.committedIn(targets.map(({ name }) => name)) }
      const notes = notesOf(status, pages, tracker.notes)
      const receipt = amended({
        run_id: run.runId,
        pipeline: pipeline.name,
        config_hash: pipeline.hash,
        status,
        started_at: DateTime.formatIso(DateTime.makeUnsafe(run.startedAt)),
        finished_at: DateTime.formatIso(finished),
        jobs: tracker.jobs.map(({ jobId, kind, status, url }) => ({ job_id: jobId, kind, url, status })),
        pages,
        tokens: progress.tokens,
        sinks: targets.map(({ kind, name }) => {
          const { deadLetters, rows } = tracker.loaded(name)
          return { name, kind, rows, dead_letters: deadLetters }
        }),
        requests: { ...counter },
        ...(tracker.drift.length === 0 ? {} : { drift: tracker.drift }),
        ...(notes.length === 0 ? {} : { notes }),
        ...(supersedes === undefined ? {} : { supersedes: nameOf(supersedes) }),
        ...(Option.isNone(blocked)
          ? {}
          : { unpublished: { guard: guardOf(blocked.value), sinks: targets.map(unpublishedIn) } }),
        ...reasonNow(status, failure)
      })
      // A run that could not write its end down is one that did not end: it stays open in the ledger.
      const writeDown =
        hasEnded && isShown
          ? Effect.andThen(keepReceipt(receipt), Effect.andThen(ledger.end(run, receipt), closeVault))
          : ledger.suspend(run, status)
      // Writing it down twice changes nothing, and the connection may be one that has been ended meanwhile.
      const written = yield* Effect.result(
        Effect.retry(writeDown, { times: 2, schedule: Schedule.exponential("100 millis"), while: isTransient })
      )
      // Whoever has lost the run to another process says so, whatever else went wrong with it.
      const isLost = written._tag === "Failure" && isLostRun(written.failure)
      if (written._tag === "Failure" && (status === "completed" || isLost)) {
        const reason = isLost ? yield* describeFate(ledger, run.runId) : written.failure.message
        const unwritten: Receipt = { ...receipt, status: isLost ? "halted" : "failed", reason }
        yield* options.onReceipt?.(unwritten) ?? Effect.void
        return { receipt: unwritten, failure: Option.some(written.failure), mayHavePaid: hasSubmitted() }
      }
      if (Exit.isFailure(exit) && Option.isNone(failure) && status !== "interrupted") {
        return yield* Effect.failCause(exit.cause as Cause.Cause<never>)
      }
      yield* options.onReceipt?.(receipt) ?? Effect.void
      return { receipt, failure, mayHavePaid: hasSubmitted() }
    })
  )

  /** What a replay needs besides the pages. It goes before the ledger's own: what the ledger holds, the vault can give back. */
  function keepReceipt(receipt: Receipt): Effect.Effect<void, SinkError | LedgerError> {
    const keep = vault?.keepReceipt
    if (keep === undefined) return Effect.void
    return Effect.flatMap(Stream.runCollect(ledger.submissions(run.runId)), (submissions) =>
      keep({ receipt, submissions })
    )
  }
})

/** An earlier receipt, by what it is known by. */
const nameOf = (receipt: Receipt): NonNullable<Receipt["supersedes"]> => ({
  status: receipt.status,
  finished_at: receipt.finished_at,
  sha256: canonicalHash(receipt)
})

/** What explains the counts of a run; no completed one contradicts itself in silence. */
const notesOf = (
  status: RunStatus,
  { delivered, discovered }: Receipt["pages"],
  notes: ReadonlyArray<string>
): ReadonlyArray<string> =>
  status !== "completed" || delivered === discovered || notes.length > 0
    ? notes
    : [`the API counts ${discovered} discovered pages, and ${delivered} were delivered`]

/** What readers see of a run in a sink that was not told to publish it. */
const unpublishedIn = ({ name, session }: SinkTarget) => ({
  name,
  readers: session.unpublished ?? "it is not published there"
})

/** Lets readers see what was paid for, and answers whether they do. */
const show = (publish: Effect.Effect<void, SinkError | LedgerError>): Effect.Effect<boolean> =>
  Effect.matchEffect(publish, {
    onSuccess: () => Effect.succeed(true),
    onFailure: (error) =>
      Effect.as(
        Effect.logWarning(`what was paid for is not shown to readers yet; resume the run: ${error.message}`),
        false
      )
  })
