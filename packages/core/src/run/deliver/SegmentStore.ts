import { Effect } from "effect"
import type { PageRecord } from "../../record/PageRecord.ts"
import type { RunVault, StoredSegment } from "../../vault/Vault.ts"
import type { RunContext } from "../acquire/RunContext.ts"
import { keysOf } from "./SegmentForSink.ts"

/** Where the segments of a run wait for its sinks: its vault, a spool, or this process's memory. */
export interface SegmentStore extends Pick<RunVault, "segments" | "keep" | "read" | "release"> {
  /** Bytes of pages that may wait. At this size the source is read no further. */
  readonly maxBytes: number
  /** Segments that may wait. */
  readonly maxSegments: number
  /** Whether stored segments outlive this process. Then the source is read on even if every sink has failed. */
  readonly isDurable: boolean
}

/** Bytes of pages that may wait in memory for sinks. */
const memoryBytes = 16 * 1024 * 1024

/** Segments that may wait in memory: those that sinks write at once, and some that are ready when a write ends. */
const memorySegments = 8

/** The store of a run: its vault or spool, else memory. */
export const segmentStoreOf = ({ vault }: Pick<RunContext, "vault">): SegmentStore =>
  vault === undefined ? memoryStore() : { ...vault, maxSegments: Number.POSITIVE_INFINITY, isDurable: true }

const memoryStore = (): SegmentStore => {
  const stored = new Map<StoredSegment, ReadonlyArray<PageRecord>>()
  return {
    maxBytes: memoryBytes,
    maxSegments: memorySegments,
    isDurable: false,
    segments: [],
    keep: ({ bytes, drift = [], epoch, jobs, records, seq }) =>
      Effect.sync(() => {
        const segment = { seq, epoch, bytes, keys: keysOf(records), jobs, drift }
        stored.set(segment, records)
        return segment
      }),
    read: (segment) => Effect.sync(() => stored.get(segment) ?? []),
    release: (segment) => Effect.sync(() => void stored.delete(segment))
  }
}
