import { Effect, Sink } from "effect"
import type { PageRecord } from "../record/PageRecord.ts"
import type { SegmentBounds } from "../record/Segment.ts"
import type { Target } from "./beginRun.ts"

/** A segment of a sink that has no wish. Some five of them are in memory at once: written, waiting and gathered. */
const segmentDefaults: SegmentBounds = { records: 1000, bytes: 8 * 1024 * 1024, delayMs: 500 }

/** What a run was told to cut its segments by, as far as it was. */
export interface CutOptions {
  readonly segmentRecords?: number
  readonly segmentBytes?: number
  readonly segmentDelayMs?: number
}

/** What was asked for; else the smallest of what the sinks want. */
export const boundsOf = (asked: CutOptions, targets: ReadonlyArray<Target>): SegmentBounds => {
  const wanted = targets.map(({ session }) => session.wants ?? segmentDefaults)
  const smallest = (pick: (bounds: SegmentBounds) => number) => Math.min(...wanted.map(pick))
  return {
    records: asked.segmentRecords ?? smallest(({ records }) => records),
    bytes: asked.segmentBytes ?? smallest(({ bytes }) => bytes),
    delayMs: asked.segmentDelayMs ?? smallest(({ delayMs }) => delayMs)
  }
}

interface Gathered {
  readonly records: Array<PageRecord>
  bytes: number
}

/** Gathers records up to a segment's bounds. */
export const gatherRecords = (bounds: SegmentBounds) =>
  Sink.fold(
    (): Gathered => ({ records: [], bytes: 0 }),
    (segment) => segment.records.length < bounds.records && segment.bytes < bounds.bytes,
    (segment, record: PageRecord) => {
      segment.records.push(record)
      segment.bytes += record.bytes
      return Effect.succeed(segment)
    }
  )
