import { Effect, Stream } from "effect"
import type { LedgerError } from "../../ledger/Ledger.ts"
import type { PageRecord } from "../../record/PageRecord.ts"
import type { Segment } from "../../record/Segment.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import type { SinkTarget } from "../acquire/RunContext.ts"
import { keysOf } from "./SegmentForSink.ts"
import type { SegmentWriter } from "./SegmentWriter.ts"

/** How segments come to the sinks of a run. */
export interface Delivering {
  readonly targets: ReadonlyArray<SinkTarget>
  /** What sinks are given of a segment's records. */
  readonly transform: (records: ReadonlyArray<PageRecord>) => ReadonlyArray<PageRecord>
  readonly write: SegmentWriter
  /** Tells that something has landed. */
  readonly notify: Effect.Effect<void>
}

/** Segments that wait for a sink to be free: reading goes on meanwhile, and the sink finds the next one ready. */
const segmentsAhead = 1

/** Hands each segment to all sinks, and goes on when all have taken it: what one of them fails with ends the run. */
export const deliverTogether = <E, R>(
  segments: Stream.Stream<Segment, E, R>,
  { targets, notify, transform, write }: Delivering
): Effect.Effect<void, E | SinkError | LedgerError, R> =>
  segments.pipe(
    Stream.buffer({ capacity: segmentsAhead }),
    Stream.mapEffect(
      (segment) =>
        Effect.suspend(() => {
          const records = transform(segment.records)
          const prepared = { segment: { ...segment, records }, keys: keysOf(segment.records) }
          return Effect.forEach(targets, (target) => write(target, prepared), {
            concurrency: targets.length,
            discard: true
          })
        }).pipe(Effect.andThen(notify)),
      { concurrency: Math.min(...targets.map(({ session }) => session.concurrency)) }
    ),
    Stream.runDrain
  )
