import { Effect, Exit, Option, Stream } from "effect"
import type { LedgerError } from "../../ledger/Ledger.ts"
import { failedPages } from "../../record/PageFailures.ts"
import type { PageRecord } from "../../record/PageRecord.ts"
import type { Segment } from "../../record/Segment.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import type { StoredSegment } from "../../vault/Vault.ts"
import type { RunContext, SinkTarget } from "../acquire/RunContext.ts"
import { FanOutBuffer } from "./FanOutBuffer.ts"
import type { SegmentForSink } from "./SegmentForSink.ts"
import type { SegmentStore } from "./SegmentStore.ts"
import { retryTransient, type SegmentWriter } from "./SegmentWriter.ts"

/** How the segments of a run are delivered. */
export interface DeliveryOptions {
  readonly run: RunContext["run"]
  readonly targets: ReadonlyArray<SinkTarget>
  readonly store: SegmentStore
  /** Applies the pipeline's transforms to a segment's records. */
  readonly transform: (records: ReadonlyArray<PageRecord>) => ReadonlyArray<PageRecord>
  readonly write: SegmentWriter
  /** Attempts beyond the first after a transient failure, once there is nothing else to do meanwhile. */
  readonly times: number
  /** Reports progress after each committed segment. */
  readonly notify: Effect.Effect<void>
}

/**
 * Stores each segment and writes it to every sink. Each sink goes at its own pace: it reads segments from memory while it keeps
 * up, and from the store when it lags. Segments that earlier attempts stored come first.
 *
 * A sink that fails stops no other sink. The result names the failed sinks and their errors. Where the store is memory and every
 * sink has failed, reading stops and the first error is the error of this effect: what is read then would be lost.
 */
export const deliver = <E, R>(
  segments: Stream.Stream<Segment, E, R>,
  { notify, run, store, targets, times, transform, write }: DeliveryOptions
): Effect.Effect<ReadonlyMap<string, SinkError>, E | SinkError | LedgerError, R> =>
  Effect.gen(function* () {
    const buffer = new FanOutBuffer({ ...store, sinks: targets.length })
    const release = (stored: StoredSegment) =>
      store.release === undefined ? Effect.void : retryTransient(store.release(stored), times)
    const namesOf = (sinks: ReadonlyArray<SinkTarget>) => sinks.map(({ name }) => name)

    for (const stored of store.segments) {
      const lacking = targets.filter(({ heldSegments }) => !heldSegments.has(stored.seq))
      if (lacking.length === 0) yield* release(stored)
      else buffer.add(stored, namesOf(lacking))
    }

    const feed = segments.pipe(
      Stream.mapEffect((segment) =>
        Effect.gen(function* () {
          yield* buffer.room
          const stored = yield* retryTransient(store.keep(segment), times)
          const prepared = {
            segment: { ...segment, records: transform(segment.records) },
            keys: stored.keys,
            failed: failedPages(segment.records)
          }
          buffer.add(stored, namesOf(targets), prepared)
        })
      ),
      Stream.runDrain
    )

    // While the source is read anyway, a sink is worth more attempts. A lone sink without a store has nobody to wait for.
    const isGrowing = () => (store.isDurable || targets.length > 1) && buffer.isGrowing

    const load = (stored: StoredSegment): Effect.Effect<SegmentForSink, SinkError> => {
      const cached = buffer.cached(stored)
      if (cached !== undefined) return Effect.succeed(cached)
      const { bytes, drift, jobs, keys, seq } = stored
      return Effect.map(retryTransient(store.read(stored), times, isGrowing), (read) => {
        const records = transform(read)
        const segment = { runId: run.runId, epoch: run.epoch, seq, bytes, jobs, records }
        const failed = failedPages(read)
        return { segment: drift.length > 0 ? { ...segment, drift } : segment, keys, failed }
      })
    }

    const writeAll = (target: SinkTarget) =>
      Stream.unfold(undefined, () =>
        Effect.map(buffer.next(target.name), (next) =>
          Option.isNone(next) ? undefined : ([next.value, undefined] as const)
        )
      ).pipe(
        Stream.mapEffect(
          (stored) =>
            Effect.gen(function* () {
              yield* write(target, yield* load(stored), isGrowing)
              if (buffer.taken(stored, target.name)) yield* release(stored)
              yield* notify
            }),
          { concurrency: target.session.concurrency }
        ),
        Stream.runDrain,
        Effect.catchTag("SinkError", (error) =>
          Effect.andThen(
            targets.length === 1 && !store.isDurable ? Effect.void : Effect.logWarning(lagging(error)),
            Effect.sync(() => buffer.markFailed(target.name, error))
          )
        )
      )

    const read = store.isDurable ? feed : Effect.raceFirst(feed, buffer.allFailed)
    // Whatever stops the source: what is stored has been paid for, and is written.
    const fed = Effect.ensuring(
      read,
      Effect.sync(() => buffer.end())
    )
    const { exit } = yield* Effect.all(
      {
        exit: Effect.exit(fed),
        written: Effect.forEach(targets, writeAll, { concurrency: "unbounded", discard: true })
      },
      { concurrency: "unbounded" }
    )
    if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
    return buffer.failed
  })

const lagging = (error: SinkError): string =>
  `${error.message}; its segments are kept, and it catches up when the run is resumed`
