import { Cause, DateTime, Deferred, type Duration, Effect, Exit, Fiber, Option, Schedule, Stream } from "effect"
import { type AdoptionOptions, adoptionDefaults } from "./Adoption.ts"
import { type BeginOptions, type Begun, beginRun, RunNotBegun } from "./beginRun.ts"
import { findUnmet } from "./Expectations.ts"
import { boundsOf, gatherRecords } from "./gatherRecords.ts"
import { type ReaderOptions, readerDefaults } from "./JobReader.ts"
import { CurrentJournal } from "./Journal.ts"
import { KeySet } from "./KeySet.ts"
import type { LedgerError } from "./Ledger.ts"
import type { PipelineDefinition } from "./makePipeline.ts"
import type { PageRecord } from "./PageRecord.ts"
import { Purse } from "./Purse.ts"
import { publishRun } from "./publishRun.ts"
import type { Receipt, RunStatus } from "./Receipt.ts"
import { CurrentRequestCounter, type RequestCounter } from "./RequestCounter.ts"
import type { Progress } from "./RunTracker.ts"
import { type Decision, makeRunJournal } from "./runJournal.ts"
import { runPolicies } from "./runPolicies.ts"
import { isOver, type RunFailure, reasonOf, statusOf } from "./runStatus.ts"
import { Scraper } from "./Scraper.ts"
import type { Segment } from "./Segment.ts"
import type { SinkError } from "./Sink.ts"
import { recordsOf } from "./Source.ts"
import type { Incomplete, Vanished } from "./SourceError.ts"
import { toCommit, withoutHeld } from "./segmentCommit.ts"
import { tallyOf } from "./Tally.ts"

/** How a run is begun, cut and paced. Every number is a bound. */
export interface RunOptions extends Partial<BeginOptions> {
  /** What to do about a submission whose answer was lost and which could not be settled; see `halted`. */
  readonly decision?: Decision
  readonly adoption?: Partial<AdoptionOptions>
  /** Asks for nothing more, cancels the remote jobs that are under way, and lands what has been paid for. */
  readonly cancel?: boolean
  readonly reader?: Partial<ReaderOptions>
  /** A segment is closed at this many records (when absent, and the next two: as all sinks want it, or 2,000, 16 MiB, 0.5 s), */
  readonly segmentRecords?: number
  /** or at about this many bytes, */
  readonly segmentBytes?: number
  /** or when its first record has waited this long. */
  readonly segmentDelayMs?: number
  /** How long an interrupted run may take to land what it has read. */
  readonly drain?: Duration.Input
  /** Attempts of a segment beyond the first, when its sink broke off. */
  readonly writeRetries?: number
  /** Called after each answer and each landed segment. */
  readonly onProgress?: (progress: Progress) => Effect.Effect<void>
}

const defaults = {
  resume: "auto",
  lease: "30 seconds",
  drain: "10 seconds",
  writeRetries: 5
} as const

type Bounds = Required<Pick<RunOptions, keyof typeof defaults>>

/** How a run ended, and what stopped it if something did. */
export interface Outcome {
  readonly receipt: Receipt
  readonly failure: Option.Option<RunFailure>
}

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
      const settled = { ...defaults, ...options }
      const begun = yield* beginRun(pipeline, settled).pipe(Effect.mapError((error) => new RunNotBegun({ error })))
      return yield* carryOut(pipeline, begun, settled)
    })
  ).pipe(Effect.withSpan("Pipeline.execute", { attributes: { pipeline: pipeline.name } }))

const carryOut = Effect.fnUntraced(function* (
  pipeline: PipelineDefinition,
  begun: Begun,
  options: RunOptions & Bounds
): Effect.fn.Return<Outcome, never, Scraper> {
  const { ledger, lease, run, targets, tracker } = begun
  const counter: RequestCounter = { submitted: 0, reads: 0, retries: 0 }
  const unreconciled: Array<Incomplete | Vanished> = []
  const tell = Effect.suspend(() => options.onProgress?.(tracker.progress) ?? Effect.void)
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
    tell,
    onUnreconciled: (reason) => void unreconciled.push(reason)
  })

  const policies = runPolicies(pipeline, tracker)
  const leftOut = new KeySet()
  const transformed = (record: PageRecord): PageRecord | null => {
    if (record.refusal !== null) return record
    let current: PageRecord | null = record
    for (const transform of pipeline.transforms) {
      current = transform.apply(current)
      if (current !== null) continue
      leftOut.add(record.key)
      return null
    }
    return current
  }

  const retried = <A>(work: Effect.Effect<A, SinkError | LedgerError>) =>
    Effect.retry(work, {
      times: options.writeRetries,
      schedule: Schedule.exponential("200 millis").pipe(Schedule.jittered),
      while: mayPass
    })

  const write = (segment: Segment) =>
    Effect.forEach(
      targets,
      ({ held, name, session }) => {
        const missing = withoutHeld(segment, held)
        const tally = tallyOf(missing.records)
        return session
          .write(missing, {
            store: ledger.store,
            run: (result, within) => ledger.commit(toCommit(missing, name, { ...result, tally }), within)
          })
          .pipe(
            retried,
            Effect.tap((result) => Effect.sync(() => tracker.land(name, { ...result, tally }))),
            Effect.andThen(policies.proveShare(name))
          )
      },
      { concurrency: targets.length, discard: true }
    ).pipe(Effect.andThen(tell))

  // Every sink is given each record once, whatever attempt it was in: they agree.
  const proveExpectations = Effect.suspend(() => {
    const tally = tracker.landed(targets[0]?.name ?? "").tally
    const unmet = pipeline.expect && findUnmet(pipeline.expect, { pages: tracker.progress.pages, tally })
    return unmet === undefined ? Effect.void : Effect.fail(unmet)
  })

  const bounds = boundsOf(options, targets)
  const publishAs = (status: RunStatus) => publishRun(begun, { source: pipeline.source, status, leftOut, retried })

  const stopping = yield* Deferred.make<void>()
  const work = recordsOf(pipeline.source, { ...readerDefaults, ...options.reader }).pipe(
    Stream.interruptWhen(Deferred.await(stopping)),
    Stream.mapArrayEffect((records) => policies.admit(records)),
    Stream.map(transformed),
    Stream.filter((record) => record !== null),
    Stream.aggregateWithin(gatherRecords(bounds), Schedule.spaced(bounds.delayMs)),
    Stream.map(({ bytes, records }) => tracker.segment(run, records, bytes)),
    Stream.concat(Stream.suspend(() => Stream.succeed(tracker.segment(run, [], 0)))),
    Stream.filter((segment) => segment !== undefined),
    Stream.mapEffect(write, { concurrency: Math.min(...targets.map(({ session }) => session.concurrency)) }),
    Stream.runDrain,
    Effect.andThen(
      Effect.suspend(() =>
        !Deferred.isDoneUnsafe(stopping) &&
        statusOf(Exit.void, tracker, unreconciled, purse.hasKeptBack(tracker.jobs)) === "completed"
          ? Effect.forEach(targets, ({ name }) => policies.proveShare(name), { discard: true }).pipe(
              Effect.andThen(proveExpectations),
              Effect.andThen(publishAs("completed"))
            )
          : Effect.void
      )
    ),
    Effect.provideService(CurrentJournal, journal),
    Effect.provideService(CurrentRequestCounter, counter)
  )

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
    Effect.gen(function* (): Effect.fn.Return<Outcome, never, Scraper> {
      const worker = yield* Effect.forkChild(restore(Effect.raceFirst(work, keepHold)))
      const awaited = yield* Effect.exit(restore(Fiber.await(worker)))
      const exit = Exit.isSuccess(awaited) ? awaited.value : yield* drain(worker)
      const failure: Option.Option<RunFailure> = Exit.isFailure(exit)
        ? Cause.findErrorOption(exit.cause)
        : Option.none()
      const status = statusOf(exit, tracker, unreconciled, purse.hasKeptBack(tracker.jobs))
      const hasEnded = isOver(status, failure, journal.hasAsked())
      // What could not be shown to readers is shown by the next attempt: the run stays open.
      const isShown = status === "completed" || !hasEnded || (yield* show(publishAs(status)))
      yield* policies.report
      const finished = yield* DateTime.now
      const receipt: Receipt = {
        run_id: run.runId,
        pipeline: pipeline.name,
        config_hash: pipeline.hash,
        status,
        started_at: DateTime.formatIso(DateTime.makeUnsafe(run.startedAt)),
        finished_at: DateTime.formatIso(finished),
        jobs: tracker.jobs.map(({ jobId, kind, status, url }) => ({ job_id: jobId, kind, url, status })),
        pages: tracker.progress.pages,
        tokens: tracker.progress.tokens,
        sinks: targets.map(({ kind, name }) => {
          const { deadLetters, rows } = tracker.landed(name)
          return { name, kind, rows, dead_letters: deadLetters }
        }),
        requests: { ...counter },
        ...(tracker.drift.length === 0 ? {} : { drift: tracker.drift }),
        ...reasonOf(status, failure, { tracker, unreconciled, purse })
      }
      // A run that could not write its end down is one that did not end: it stays open in the ledger.
      const writeDown = hasEnded && isShown ? ledger.end(run, receipt) : ledger.suspend(run, status)
      // Writing it down twice changes nothing, and the connection may be one that has been ended meanwhile.
      const written = yield* Effect.result(
        Effect.retry(writeDown, { times: 2, schedule: Schedule.exponential("100 millis"), while: mayPass })
      )
      // Whoever has lost the run to another process says so, whatever else went wrong with it.
      const isLost = written._tag === "Failure" && written.failure.reason._tag === "Fenced"
      if (written._tag === "Failure" && (status === "completed" || isLost)) {
        const reason = written.failure.message
        const unwritten: Receipt = { ...receipt, status: isLost ? "halted" : "failed", reason }
        return { receipt: unwritten, failure: Option.some(written.failure) }
      }
      if (Exit.isFailure(exit) && Option.isNone(failure) && status !== "interrupted") {
        return yield* Effect.failCause(exit.cause as Cause.Cause<never>)
      }
      return { receipt, failure }
    })
  )
})

/** Whether a store that broke off may be back: what failed is done again, which changes nothing if it was done. */
const mayPass = (error: SinkError | LedgerError): boolean =>
  error._tag === "SinkError" ? error.isRetryable : error.reason._tag === "LedgerUnavailable"

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
