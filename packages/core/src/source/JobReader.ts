import { isTerminal, type JobId } from "@sluice/contract"
import { Clock, Duration, Effect, type Schema, Stream } from "effect"
import type { NonEmptyArray } from "effect/Array"
import type { Slice } from "../api/Scraper.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { due, endedPages, type JobSnapshot } from "../record/JobSnapshot.ts"
import { KeySet } from "../record/KeySet.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import { JobCancellation } from "./JobCancellation.ts"
import { notesOn } from "./notesOn.ts"
import { SlicePlan, type Step } from "./SlicePlan.ts"
import { DeadlinePassed, Incomplete, SourceError, Uncountable } from "./SourceError.ts"
import { CurrentSubmissionLog } from "./SubmissionLog.ts"
import { uncountableKey, uncountableRecords } from "./uncountableRecords.ts"
import { untilKnown } from "./untilKnown.ts"

/** How a job is read. Every number is a bound. */
export interface ReaderOptions {
  /** The shortest and longest pause between polls; in between it follows the pace of the job. */
  readonly pollMin: Duration.Input
  readonly pollMax: Duration.Input
  /** How long a job may take to end. */
  readonly deadline: Duration.Input
  /** Slices in flight at once, when many are known to be ready. */
  readonly concurrency: number
  /** About how many bytes of slices may be in flight; heavy pages lower the page size, then the concurrency. */
  readonly inFlightBytes: number
  /** Whole sweeps over an ended job whose pages and counters differ; more while it may still settle, in growing pauses, */
  readonly maxSweeps: number
  /** and never more than this. */
  readonly mostSweeps: number
  /**
   * A job may be unknown for this long before it counts as gone, and its pages may lag behind its counters for this long after
   * it was seen to have ended: job stores answer late.
   */
  readonly settleTime: Duration.Input
}

/** What {@link ReaderOptions} default to. */
export const readerDefaults: ReaderOptions = {
  pollMin: "250 millis",
  pollMax: "5 seconds",
  deadline: "24 hours",
  concurrency: 24,
  inFlightBytes: 24 * 1024 * 1024,
  maxSweeps: 3,
  mostSweeps: 24,
  settleTime: "12 minutes"
}

/** A slice may weigh this part of what may be in flight. */
const sliceShare = 4
/** How slowly heavy slices are forgotten: a slice counts half after seven others. */
const weightDecay = 0.9

/** A page of a slice that has ended. The record is made only if it is wanted. */
export interface EndedRow {
  readonly key: bigint
  readonly record: () => PageRecord
  /** The item as it came. */
  readonly answer: Schema.Json
}

/** One answer about a job: its counters and the slice that was asked for. */
export interface Observation {
  readonly snapshot: JobSnapshot
  /** Rows of the slice, those still open included. */
  readonly rows: number
  readonly ended: ReadonlyArray<EndedRow>
  /** Results of the slice that cannot be counted: they do not say which page they are, or how that ended. */
  readonly uncountable?: ReadonlyArray<unknown>
}

/** A job to read, whatever its kind. */
export interface ReadableJob {
  readonly source: string
  readonly jobId: JobId
  readonly fetch: (slice: Slice) => Effect.Effect<Observation, ScraperError>
  readonly cancel: Effect.Effect<void, ScraperError>
}

/**
 * Streams the pages of a job as they end, each once, while the job still runs; a page is in one chunk with the others of
 * its slice. Ends when the job has ended and the distinct pages delivered agree with its counters.
 */
export const readJob = (job: ReadableJob, options: ReaderOptions): Stream.Stream<PageRecord, SourceError> => {
  const toSourceError = (reason: SourceError["reason"]) => new SourceError({ source: job.source, reason })
  return Stream.unwrap(
    Effect.gen(function* () {
      const submissionLog = yield* CurrentSubmissionLog
      const seen = yield* submissionLog.committed(job.jobId)
      const plan = new SlicePlan({
        maxSweeps: options.maxSweeps,
        mostSweeps: options.mostSweeps,
        seen: seen.size,
        probe: true
      })
      const pollMin = Duration.toMillis(options.pollMin)
      const pollMax = Duration.toMillis(options.pollMax)
      const startedAt = yield* Clock.currentTimeMillis
      const pace = { interval: pollMin, settled: 0, at: startedAt }
      let endedAt: number | undefined
      let known = false
      const cancellation = new JobCancellation(job.jobId, job.cancel, pollMin * 4)
      let end: Extract<Step, { readonly _tag: "Done" }> = { _tag: "Done", reconciled: false }
      let hasUncountable = false
      /** Keys of what cannot be counted, seen since the job has ended: its counters may count them. */
      const uncounted = new KeySet()
      /** What a page weighs, by the heaviest slices of late; undefined until one has been seen. */
      let weight: number | undefined

      const settleTime = Duration.toMillis(options.settleTime)

      /**
       * Aims at half a slice of news a poll while the job runs. Once it has ended there is no news: the pauses before sweeps
       * double, so that few of them take up the settle time.
       */
      const pause = Effect.fnUntraced(function* (sweep: number | undefined) {
        const now = yield* Clock.currentTimeMillis
        const deadline = Duration.toMillis(options.deadline)
        if (now - startedAt > deadline) {
          return yield* new DeadlinePassed({ jobId: job.jobId, afterMs: deadline })
        }
        if (endedAt !== undefined) {
          const left = Math.max(pollMin, endedAt + settleTime - now)
          return yield* Effect.sleep(sweep === undefined ? pollMin : Math.min(pollMin * 2 ** sweep, left))
        }
        const ended = plan.snapshot === undefined ? 0 : endedPages(plan.snapshot)
        const rate = (ended - pace.settled) / Math.max(1, now - pace.at)
        const wanted = rate > 0 ? plan.pageSize / 2 / rate : pace.interval * 1.5
        pace.interval = Math.min(pollMax, Math.max(pollMin, Math.min(wanted, pace.interval * 2)))
        pace.settled = ended
        pace.at = now
        yield* Effect.sleep(pace.interval)
      })

      const fetch = (slice: Slice) => untilKnown(job.fetch(slice), job.jobId, options)

      const read = Effect.fnUntraced(function* (page: number) {
        const { pageSize } = plan
        // A server that counts from 1 refuses page 0, in whatever way.
        const observation =
          page === 0
            ? yield* Effect.orElseSucceed(job.fetch({ page, pageSize }), () => undefined)
            : yield* fetch({ page, pageSize })
        if (observation === undefined) return []
        known = true
        if (observation.uncountable !== undefined) {
          hasUncountable = true
          const hasEnded = isTerminal(observation.snapshot.status)
          if (hasEnded) for (const raw of observation.uncountable) uncounted.add(uncountableKey(raw))
        }
        const fresh: Array<PageRecord> = []
        let weighed = 0
        let bytes = 0
        let print = 0n
        for (const row of observation.ended) {
          print ^= row.key
          const isNew = seen.add(row.key)
          if (!isNew && weight !== undefined) continue
          const record = row.record()
          weighed++
          bytes += record.bytes
          if (isNew) fresh.push(submissionLog.keepsRawResults === true ? { ...record, answer: row.answer } : record)
        }
        if (weighed > 0) weight = Math.max(bytes / weighed, (weight ?? 0) * weightDecay)
        if (pageSize === plan.pageSize) {
          const slice = { page, rows: observation.rows, terminalRows: observation.ended.length, print }
          plan.observe(observation.snapshot, slice, seen.size + uncounted.size)
        }
        const verdict = yield* submissionLog.progress(observation.snapshot)
        if (verdict === "cancel") cancellation.want()
        if (!isTerminal(observation.snapshot.status)) yield* cancellation.pursue
        return fresh
      })

      const round = Effect.gen(function* () {
        if (weight !== undefined) plan.fit(options.inFlightBytes / sliceShare / weight)
        const now = yield* Clock.currentTimeMillis
        if (plan.snapshot !== undefined && isTerminal(plan.snapshot.status)) endedAt ??= now
        const step = plan.next(endedAt !== undefined && now - endedAt >= settleTime)
        if (step._tag === "Read") {
          // the first read of all needs no pause: it is the first poll
          if (step.afterPause && known) yield* pause(step.sweep)
          return [step.pages, undefined] as const
        }
        end = step
        return undefined
      })

      const slicesAtOnce = () => {
        const slice = weight === undefined ? options.inFlightBytes : weight * plan.pageSize
        return Math.max(1, Math.min(options.concurrency, Math.floor(options.inFlightBytes / Math.max(1, slice))))
      }

      /** How it came out: the counters agree, or they do not. */
      const account = Effect.suspend(() => {
        const expected = plan.snapshot === undefined ? 0 : due(plan.snapshot)
        if (!end.reconciled && seen.size !== expected) {
          return submissionLog.unreconciled(new Incomplete({ jobId: job.jobId, expected, delivered: seen.size }))
        }
        return Effect.forEach(
          notesOn(job.jobId, plan.snapshot, seen.size, end.fell),
          (note) => submissionLog.explain?.(note) ?? Effect.void,
          { discard: true }
        )
      })

      /** Once all else has been read: what cannot be counted, and how it came out. */
      const leftOver = Stream.suspend(() => {
        if (!hasUncountable) return Stream.fromEffectDrain(account)
        let results = 0
        const deadLetters = uncountableRecords({
          jobId: job.jobId,
          slices: plan.slices,
          results: (page) =>
            Effect.map(fetch({ page, pageSize: plan.pageSize }), ({ uncountable = [] }) => uncountable),
          seen,
          mostAlike: (plan.snapshot?.discovered ?? 0) - seen.size,
          onFound: () => void results++
        })
        const report = Effect.suspend(() =>
          results > 0 ? submissionLog.unreconciled(new Uncountable({ jobId: job.jobId, results })) : account
        )
        return Stream.concat(deadLetters, Stream.fromEffectDrain(report))
      })

      return Stream.unfold(undefined, () => round).pipe(
        Stream.flatMap((pages) =>
          Stream.fromIterable(pages).pipe(Stream.mapEffect(read, { concurrency: slicesAtOnce() }))
        ),
        Stream.filter((fresh): fresh is NonEmptyArray<PageRecord> => fresh.length > 0),
        Stream.flattenArray,
        Stream.concat(leftOver),
        Stream.catchTag("Vanished", (vanished) => Stream.fromEffectDrain(submissionLog.unreconciled(vanished))),
        Stream.mapError(toSourceError)
      )
    }).pipe(Effect.mapError(toSourceError))
  )
}
