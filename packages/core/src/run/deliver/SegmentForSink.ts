import type { CommittedKeys, SegmentCommit } from "../../ledger/Ledger.ts"
import type { KeySet } from "../../record/KeySet.ts"
import { countFailures, type FailedPage } from "../../record/PageFailures.ts"
import type { PageRecord } from "../../record/PageRecord.ts"
import type { Segment } from "../../record/Segment.ts"
import type { Tally } from "../../record/Tally.ts"
import type { WriteResult } from "../../sink/Sink.ts"

/** A segment as sinks receive it, with the keys of all its pages, also of those a transform dropped. */
export interface SegmentForSink {
  readonly segment: Segment
  readonly keys: ReadonlyArray<CommittedKeys>
  /** The failed pages of the segment, also those a transform dropped. */
  readonly failed: ReadonlyArray<FailedPage>
}

/** The keys of records, by job. */
export const keysOf = (records: ReadonlyArray<PageRecord>): ReadonlyArray<CommittedKeys> => {
  const keys = new Map<string, Array<bigint>>()
  for (const { jobId, key } of records) {
    const held = keys.get(jobId)
    if (held === undefined) keys.set(jobId, [key])
    else held.push(key)
  }
  return Array.from(keys, ([jobId, held]): CommittedKeys => ({ jobId, keys: BigInt64Array.from(held) }))
}

/** A segment without what a sink holds of an earlier attempt. */
export const withoutHeldKeys = (prepared: SegmentForSink, held: ReadonlyMap<string, KeySet>): SegmentForSink => {
  if (held.size === 0) return prepared
  const { failed, keys, segment } = prepared
  const isMissing = (jobId: string, key: bigint) => held.get(jobId)?.has(key) !== true
  return {
    segment: { ...segment, records: segment.records.filter(({ jobId, key }) => isMissing(jobId, key)) },
    keys: keys
      .map(({ jobId, keys }) => ({ jobId, keys: keys.filter((key) => isMissing(jobId, key)) }))
      .filter(({ keys }) => keys.length > 0),
    failed: failed.filter(({ jobId, key }) => isMissing(jobId, key))
  }
}

/** The ledger entry of a segment that a sink commits. */
export const toCommit = (
  { failed, keys, segment }: SegmentForSink,
  sink: string,
  { deadLetters, rows, tally }: WriteResult & { readonly tally: Tally }
): SegmentCommit => {
  const { bytes, drift, epoch, jobs, runId, seq } = segment
  const named = new Set(keys.map(({ jobId }) => jobId))
  // Also those without a page: the next attempt sees by it that the sink has their counters.
  const others = jobs
    .filter(({ jobId }) => !named.has(jobId))
    .map(({ jobId }) => ({ jobId, keys: new BigInt64Array() }))
  return {
    runId,
    epoch,
    sink,
    seq,
    bytes,
    jobs,
    keys: [...keys, ...others],
    rows: { ...rows, token_summaries: jobs.length },
    ...(drift === undefined ? {} : { drift }),
    ...(failed.length === 0 ? {} : { failures: countFailures(failed) }),
    deadLetters,
    tally
  }
}
