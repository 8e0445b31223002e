import { Sink } from "effect"
import type { PageRecord } from "../../record/PageRecord.ts"
import type { SegmentBounds } from "../../record/Segment.ts"
import type { SinkTarget } from "../acquire/RunContext.ts"

/** A segment of a sink that has no wish. Some five of them are in memory at once: written, waiting and gathered. */
const segmentDefaults = { records: 1000, bytes: 8 * 1024 * 1024, delayMs: 500 }

/** Its first segment: what takes each in a transaction of its own need not wait for a whole one to begin. */
const firstRecords = 125

/** What a run was told to cut its segments by, as far as it was. */
export interface SegmentOptions {
  readonly segmentRecords?: number
  readonly segmentBytes?: number
  readonly segmentDelayMs?: number
}

/** What closes the segments of a run. */
export interface RunBounds extends SegmentBounds {
  /** Records of the first segment. Each after it may have twice those of the one before, up to `records`. */
  readonly first: number
}

/** What was asked for; else the smallest of what the sinks want. */
export const boundsOf = (asked: SegmentOptions, targets: ReadonlyArray<SinkTarget>): RunBounds => {
  const wanted = targets.map(({ session }) => session.wants ?? segmentDefaults)
  const smallest = (pick: (bounds: SegmentBounds) => number) => Math.min(...wanted.map(pick))
  const isWished = asked.segmentRecords !== undefined || targets.some(({ session }) => session.wants !== undefined)
  return {
    first: isWished ? Number.POSITIVE_INFINITY : firstRecords,
    records: asked.segmentRecords ?? smallest(({ records }) => records),
    bytes: asked.segmentBytes ?? smallest(({ bytes }) => bytes),
    delayMs: asked.segmentDelayMs ?? smallest(({ delayMs }) => delayMs)
  }
}

interface RecordBatch {
  readonly records: Array<PageRecord>
  readonly most: number
  bytes: number
}

/** Gathers records up to a segment's bounds: those of one run, from its first segment on. */
export const batchRecords = ({ bytes, first, records }: RunBounds) => {
  let most = first
  const begin = (): RecordBatch => {
    const batch = { records: [], most: Math.min(most, records), bytes: 0 }
    most = batch.most * 2
    return batch
  }
  return Sink.reduceWhile(
    begin,
    (segment) => segment.records.length < segment.most && segment.bytes < bytes,
    (segment, record: PageRecord) => {
      segment.records.push(record)
      segment.bytes += record.bytes
      return segment
    }
  )
}
