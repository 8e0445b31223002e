import {
  Cause,
  Clock,
  DateTime,
  Effect,
  Exit,
  Option,
  Schedule,
  Schema,
  type Scope,
  Stream,
  Sink as StreamSink
} from "effect"
import { canonicalHash } from "./canonicalJson.ts"
import { type ReaderOptions, readerDefaults } from "./JobReader.ts"
import { CurrentJournal, type Journal } from "./Journal.ts"
import { KeySet } from "./KeySet.ts"
import { type CommittedKeys, type Ledger, LedgerError, type RunHandle, type SegmentCommit } from "./Ledger.ts"
import { makeLedgerMemory } from "./LedgerMemory.ts"
import type { PageRecord } from "./PageRecord.ts"
import type { Pipeline } from "./Pipeline.ts"
import type { Receipt, RunStatus } from "./Receipt.ts"
import { CurrentRequestCounter, type RequestCounter } from "./RequestCounter.ts"
import { type Progress, RunTracker } from "./RunTracker.ts"
import type { Scraper } from "./Scraper.ts"
import type { Segment } from "./Segment.ts"
import { type SinkConnection, SinkError, type SinkSession } from "./Sink.ts"
import { recordsOf } from "./Source.ts"
import { type Incomplete, SourceError, type Vanished } from "./SourceError.ts"

/** How a run cuts and paces its work. Every number is a bound. */
export interface RunOptions {
  /** The ledger to use instead of that of the first sink that keeps one, or a passing one in memory. */
  readonly ledger?: Ledger
  readonly reader?: Partial<ReaderOptions>
  /** A segment is closed at this many records, */
  readonly segmentRecords?: number
  /** or at about this many bytes, */
  readonly segmentBytes?: number
  /** or when its first record has waited this long. */
  readonly segmentDelayMs?: number
  /** Attempts of a segment beyond the first, when its sink broke off. */
  readonly writeRetries?: number
  /** Called after each answer and each landed segment. */
  readonly onProgress?: (progress: Progress) => Effect.Effect<void>
}

const defaults = { segmentRecords: 2000, segmentBytes: 16 * 1024 * 1024, segmentDelayMs: 500, writeRetries: 5 }

/** What can stop a run. */
export type RunFailure = SourceError | SinkError | LedgerError

/** How a run ended, and what stopped it if something did. */
export interface Outcome {
  readonly receipt: Receipt
  readonly failure: Option.Option<RunFailure>
}

/** The run could not begin: nothing was submitted and nothing paid. */
export class RunNotBegun extends Schema.TaggedError<RunNotBegun>()("RunNotBegun", {
  error: Schema.Union([SinkError, LedgerError])
}) {
  override get message(): string {
    return this.error.message
  }
}

/**
 * Runs a pipeline once. Connects every sink before anything is paid for. Once begun, a run always ends in a receipt: what
 * stopped it is its status and reason, not a failure of this effect. Interrupting it leaves the remote job running.
 */
export const run = (pipeline: Pipeline, options: RunOptions = {}): Effect.Effect<Receipt, RunNotBegun, Scraper> =>
  Effect.map(execute(pipeline, options), ({ receipt }) => receipt)

/** As {@link run}, and tells what stopped the run as a value. */
export const execute = (pipeline: Pipeline, options: RunOptions = {}): Effect.Effect<Outcome, RunNotBegun, Scraper> =>
  Effect.scoped(
    Effect.gen(function* () {
      const begun = yield* begin(pipeline, options).pipe(Effect.mapError((error) => new RunNotBegun({ error })))
      return yield* carryOut(pipeline, begun, { ...defaults, ...options })
    })
  ).pipe(Effect.withSpan("Pipeline.execute", { attributes: { pipeline: pipeline.name } }))

interface Begun {
  readonly run: RunHandle
  readonly ledger: Ledger
  readonly targets: ReadonlyArray<{ readonly name: string; readonly kind: string; readonly session: SinkSession }>
}

/** Opens sinks and ledger and begins the run in both. */
const begin = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  options: RunOptions
): Effect.fn.Return<Begun, SinkError | LedgerError, Scope.Scope> {
  const connections: Array<{ name: string; kind: string; connection: SinkConnection }> = []
  for (const sink of pipeline.sinks) {
    connections.push({ name: sink.name, kind: sink.kind, connection: yield* sink.connect })
  }
  const own = connections.find(({ connection }) => connection.ledger !== undefined)?.connection.ledger
  const ledger = options.ledger ?? own ?? makeLedgerMemory()
  const startedAt = yield* Clock.currentTimeMillis
  const run = yield* ledger.begin({ pipeline: pipeline.name, configHash: pipeline.hash, startedAt })
  const targets = yield* Effect.forEach(connections, ({ connection, kind, name }) =>
    Effect.map(connection.begin(run), (session) => ({ name, kind, session }))
  )
  return { run, ledger, targets }
})

const carryOut = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  begun: Begun,
  options: RunOptions & typeof defaults
): Effect.fn.Return<Outcome, never, Scraper> {
  const { ledger, run, targets } = begun
  const tracker = new RunTracker(run.startedAt)
  const counter: RequestCounter = { submitted: 0, reads: 0, retries: 0 }
  const unreconciled: Array<Incomplete | Vanished> = []
  const tell = Effect.suspend(() => options.onProgress?.(tracker.progress) ?? Effect.void)

  const journal: Journal = {
    submit: (request, post) =>
      Effect.gen(function* () {
        const { body, ...what } = request
        const submittedAt = yield* Clock.currentTimeMillis
        yield* ledger.intend(run, { ...what, requestHash: canonicalHash(body), submittedAt })
        const { jobId } = yield* post
        yield* ledger.submitted(run, request.ordinal, jobId)
        return jobId
      }),
    committed: () => Effect.sync(() => new KeySet()),
    progress: (snapshot) =>
      Effect.suspend(() => {
        tracker.observe(snapshot)
        return Effect.as(tell, "continue")
      }),
    unreconciled: (reason) => Effect.sync(() => void unreconciled.push(reason))
  }

  const transformed = (record: PageRecord): PageRecord | null => {
    let current: PageRecord | null = record
    for (const transform of pipeline.transforms) {
      if (current === null) return null
      current = transform.apply(current)
    }
    return current
  }

  const write = (segment: Segment) =>
    Effect.forEach(
      targets,
      ({ name, session }) =>
        session
          .write(segment, {
            store: ledger.store,
            run: (result, within) => ledger.commit(toCommit(segment, name, result), within)
          })
          .pipe(
            Effect.retry({
              times: options.writeRetries,
              schedule: Schedule.exponential("200 millis").pipe(Schedule.jittered),
              while: (error) => error._tag === "SinkError" && error.isRetryable
            }),
            Effect.tap((result) => Effect.sync(() => tracker.land(name, result)))
          ),
      { concurrency: targets.length, discard: true }
    ).pipe(Effect.andThen(tell))

  const work = recordsOf(pipeline.source, { ...readerDefaults, ...options.reader }).pipe(
    Stream.mapArray((records) => {
      for (const _ of records) tracker.deliver()
      return records
    }),
    Stream.map(transformed),
    Stream.filter((record) => record !== null),
    Stream.aggregateWithin(segmentSink(options), Schedule.spaced(options.segmentDelayMs)),
    Stream.map(({ bytes, records }) => tracker.segment(run, records, bytes)),
    Stream.concat(Stream.suspend(() => Stream.succeed(tracker.segment(run, [], 0)))),
    Stream.filter((segment) => segment !== undefined),
    Stream.mapEffect(write, { concurrency: Math.min(...targets.map(({ session }) => session.concurrency)) }),
    Stream.runDrain,
    Effect.andThen(
      Effect.suspend(() =>
        statusOf(Exit.void, tracker, unreconciled) === "completed"
          ? Effect.forEach(targets, ({ session }) => session.publish, { discard: true })
          : Effect.void
      )
    ),
    Effect.provideService(CurrentJournal, journal),
    Effect.provideService(CurrentRequestCounter, counter)
  )

  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* (): Effect.fn.Return<Outcome, never, Scraper> {
      const exit = yield* Effect.exit(restore(work))
      const failure: Option.Option<RunFailure> = Exit.isFailure(exit)
        ? Cause.findErrorOption(exit.cause)
        : Option.none()
      const status = statusOf(exit, tracker, unreconciled)
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
        ...reasonOf(status, failure, tracker, unreconciled)
      }
      // A run that could not write its end down is one that did not end: it stays open in the ledger.
      const ended = yield* Effect.result(ledger.end(run, receipt))
      if (ended._tag === "Failure" && status === "completed") {
        const reason = ended.failure.message
        const unwritten: Receipt = { ...receipt, status: "failed", reason }
        return { receipt: unwritten, failure: Option.some(ended.failure) }
      }
      if (Exit.isFailure(exit) && Option.isNone(failure) && status !== "interrupted") {
        return yield* Effect.failCause(exit.cause as Cause.Cause<never>)
      }
      return { receipt, failure }
    })
  )
})

interface Gathered {
  readonly records: Array<PageRecord>
  bytes: number
}

/** Gathers records up to a segment's bounds. */
const segmentSink = (bounds: typeof defaults) =>
  StreamSink.fold(
    (): Gathered => ({ records: [], bytes: 0 }),
    (segment) => segment.records.length < bounds.segmentRecords && segment.bytes < bounds.segmentBytes,
    (segment, record: PageRecord) => {
      segment.records.push(record)
      segment.bytes += record.bytes
      return Effect.succeed(segment)
    }
  )

const toCommit = (
  segment: Segment,
  sink: string,
  result: { readonly rows: SegmentCommit["rows"]; readonly deadLetters: number }
): SegmentCommit => {
  const keys = new Map<string, Array<bigint>>()
  for (const { jobId, key } of segment.records) {
    const held = keys.get(jobId)
    if (held === undefined) keys.set(jobId, [key])
    else held.push(key)
  }
  const { bytes, epoch, runId, seq } = segment
  return {
    runId,
    epoch,
    sink,
    seq,
    bytes,
    keys: Array.from(keys, ([jobId, held]): CommittedKeys => ({ jobId, keys: BigInt64Array.from(held) })),
    ...result
  }
}

const statusOf = (
  exit: Exit.Exit<unknown, RunFailure>,
  tracker: RunTracker,
  unreconciled: ReadonlyArray<Incomplete | Vanished>
): RunStatus => {
  if (Exit.isFailure(exit)) {
    if (Cause.hasInterruptsOnly(exit.cause)) return "interrupted"
    const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    return error?._tag === "SourceError" && error.reason._tag === "DeadlinePassed" ? "incomplete" : "failed"
  }
  if (unreconciled.length > 0) return "incomplete"
  if (tracker.jobs.some(({ kind, status }) => status === "failed" && kind !== "extract")) return "failed"
  return tracker.jobs.some(({ kind, status }) => status === "cancelled" && kind !== "extract")
    ? "incomplete"
    : "completed"
}

const reasonOf = (
  status: RunStatus,
  failure: Option.Option<RunFailure>,
  tracker: RunTracker,
  unreconciled: ReadonlyArray<Incomplete | Vanished>
): { readonly reason?: string } => {
  if (status === "completed") return {}
  if (Option.isSome(failure)) return { reason: failure.value.message }
  if (status === "interrupted") return { reason: "interrupted; remote jobs were left running" }
  const [first] = unreconciled
  if (first !== undefined) return { reason: new SourceError({ source: "job", reason: first }).message }
  const job = tracker.jobs.find((job) => job.status === "failed" || job.status === "cancelled")
  return { reason: job === undefined ? "unknown" : `the API ended job ${job.jobId} as ${job.status}` }
}
