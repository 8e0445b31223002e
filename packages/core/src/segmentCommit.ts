import type { KeySet } from "./KeySet.ts"
import type { CommittedKeys, SegmentCommit } from "./Ledger.ts"
import type { Segment } from "./Segment.ts"
import type { WriteResult } from "./Sink.ts"
import type { Tally } from "./Tally.ts"

/** A segment without the records a sink holds of an earlier attempt. */
export const withoutHeld = (segment: Segment, held: ReadonlyMap<string, KeySet>): Segment =>
  held.size === 0
    ? segment
    : { ...segment, records: segment.records.filter(({ jobId, key }) => held.get(jobId)?.has(key) !== true) }

/** What is recorded when a segment stands in a sink. */
export const toCommit = (
  segment: Segment,
  sink: string,
  result: WriteResult & { readonly tally: Tally }
): SegmentCommit => {
  const keys = new Map<string, Array<bigint>>()
  for (const { jobId, key } of segment.records) {
    const held = keys.get(jobId)
    if (held === undefined) keys.set(jobId, [key])
    else held.push(key)
  }
  const { bytes, drift, epoch, jobs, runId, seq } = segment
  return {
    runId,
    epoch,
    sink,
    seq,
    bytes,
    jobs,
    keys: Array.from(keys, ([jobId, held]): CommittedKeys => ({ jobId, keys: BigInt64Array.from(held) })),
    ...(drift === undefined ? {} : { drift }),
    ...result
  }
}
