import { Effect, Exit, Option, Stream } from "effect"
import type { LedgerError } from "../../ledger/Ledger.ts"
import type { Segment } from "../../record/Segment.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import type { StoredSegment } from "../../vault/Vault.ts"
import type { RunContext, SinkTarget } from "../acquire/RunContext.ts"
import type { Delivering } from "./deliverTogether.ts"
import { FanOutBuffer } from "./FanOutBuffer.ts"
import type { SegmentForSink } from "./SegmentForSink.ts"
import { retryTransient } from "./SegmentWriter.ts"

/** What it takes to let every sink go at its own pace. */
export interface DeliveringApart extends Delivering {
  readonly run: RunContext["run"]
  readonly vault: NonNullable<RunContext["vault"]>
  /** How often what breaks off is tried again when nothing else goes on. */
  readonly times: number
}

/**
 * Keeps each segment, and lets every sink take them at its own pace: from memory where it keeps up, from the vault where it does
 * not. A sink that fails stops nobody else; answers those that have not taken everything, with what they failed with. What
 * earlier attempts have kept comes first.
 */
export const deliverApart = <E, R>(
  segments: Stream.Stream<Segment, E, R>,
  options: DeliveringApart
): Effect.Effect<ReadonlyMap<string, SinkError>, E | SinkError | LedgerError, R> =>
  Effect.gen(function* () {
    const { run, targets, notify, times, transform, vault, write } = options
    const buffer = new FanOutBuffer(vault.maxBytes)
    const release = (kept: StoredSegment) =>
      vault.release === undefined ? Effect.void : retryTransient(vault.release(kept), times)
    const namesOf = (sinks: ReadonlyArray<SinkTarget>) => sinks.map(({ name }) => name)

    for (const kept of vault.segments) {
      const lacking = targets.filter(({ heldSegments: loaded }) => !loaded.has(kept.seq))
      if (lacking.length === 0) yield* release(kept)
      else buffer.add(kept, namesOf(lacking))
    }

    const feed = segments.pipe(
      Stream.mapEffect((segment) =>
        Effect.gen(function* () {
          yield* buffer.room
          const kept = yield* retryTransient(vault.keep(segment), times)
          const prepared = { segment: { ...segment, records: transform(segment.records) }, keys: kept.keys }
          buffer.add(kept, namesOf(targets), prepared)
        })
      ),
      Stream.runDrain
    )

    const isGrowing = () => buffer.isGrowing

    const load = (kept: StoredSegment): Effect.Effect<SegmentForSink, SinkError> => {
      const hot = buffer.cached(kept)
      if (hot !== undefined) return Effect.succeed(hot)
      const { bytes, drift, jobs, keys, seq } = kept
      return Effect.map(retryTransient(vault.read(kept), times, isGrowing), (read) => {
        const records = transform(read)
        const segment = { runId: run.runId, epoch: run.epoch, seq, bytes, jobs, records }
        return { segment: drift.length > 0 ? { ...segment, drift } : segment, keys }
      })
    }

    const carry = (target: SinkTarget) =>
      Stream.unfold(undefined, () =>
        Effect.map(buffer.next(target.name), (next) =>
          Option.isNone(next) ? undefined : ([next.value, undefined] as const)
        )
      ).pipe(
        Stream.mapEffect(
          (kept) =>
            Effect.gen(function* () {
              yield* write(target, yield* load(kept), isGrowing)
              if (buffer.taken(kept, target.name)) yield* release(kept)
              yield* notify
            }),
          { concurrency: target.session.concurrency }
        ),
        Stream.runDrain,
        Effect.catchTag("SinkError", (error) =>
          Effect.andThen(
            Effect.logWarning(
              `${error.message}; what it lacks is kept, and it catches up when the run is gone on with`
            ),
            Effect.sync(() => buffer.markFailed(target.name, error))
          )
        )
      )

    // Whatever becomes of the source: what is kept has been paid for, and lands.
    const fed = Effect.ensuring(
      feed,
      Effect.sync(() => buffer.end())
    )
    const { exit } = yield* Effect.all(
      { exit: Effect.exit(fed), taken: Effect.forEach(targets, carry, { concurrency: "unbounded", discard: true }) },
      { concurrency: "unbounded" }
    )
    if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
    return buffer.failed
  })
