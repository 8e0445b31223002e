import { Schema } from "effect"
import type { Submission } from "../ledger/Ledger.ts"
import { Receipt, RunStatus } from "../ledger/Receipt.ts"
import { countersOf, JobCounters, snapshotOf } from "../record/JobCounters.ts"
import { JobKind } from "../record/JobSnapshot.ts"
import type { RunEnd, StoredSegment } from "./Vault.ts"

// What a vault notes beside the pages, as JSON documents. Times are epoch milliseconds.

/** A segment: what is to be known of it without reading its pages. `sha256` names the object they are in. */
export const SegmentEntry = Schema.Struct({
  note_version: Schema.Literal(1),
  seq: Schema.Int,
  epoch: Schema.Int,
  bytes: Schema.Int,
  pages: Schema.Int,
  sha256: Schema.String,
  /** Keys as 64-bit integers, little endian. */
  keys: Schema.Array(Schema.Struct({ job_id: Schema.String, keys: Schema.Uint8ArrayFromBase64 })),
  jobs: Schema.Array(JobCounters),
  drift: Schema.Array(Schema.String)
})
export type SegmentEntry = typeof SegmentEntry.Type

/** A run that was begun. */
export const RunEntry = Schema.Struct({
  note_version: Schema.Literal(1),
  run_id: Schema.String,
  pipeline: Schema.String,
  config_hash: Schema.String,
  started_at: Schema.Finite
})

/** What a process found as it came to hold a run: what others add afterwards under an earlier epoch does not count. */
export const EpochEntry = Schema.Struct({
  note_version: Schema.Literal(1),
  epoch: Schema.Int,
  segments: Schema.Array(Schema.Struct({ epoch: Schema.Int, seq: Schema.Int })),
  /** The epoch under which the source was read to its end. */
  end: Schema.NullOr(Schema.Int)
})

/** How the source of a run ended. */
export const EndEntry = Schema.Struct({
  note_version: Schema.Literal(1),
  status: RunStatus,
  reason: Schema.optionalKey(Schema.String)
})

/** How a run ended. */
export const ReceiptEntry = Schema.Struct({
  note_version: Schema.Literal(1),
  receipt: Receipt,
  submissions: Schema.Array(
    Schema.Struct({
      ordinal: Schema.Int,
      kind: JobKind,
      url: Schema.String,
      request_hash: Schema.String,
      submitted_at: Schema.Finite,
      tokens: Schema.Int,
      job_id: Schema.NullOr(Schema.String)
    })
  )
})

/** A segment as it is noted. */
export const entryOfSegment = (
  kept: StoredSegment,
  { pages, sha256 }: Pick<SegmentEntry, "pages" | "sha256">
): SegmentEntry => ({
  note_version: 1,
  seq: kept.seq,
  epoch: kept.epoch,
  bytes: kept.bytes,
  pages,
  sha256,
  keys: kept.keys.map(({ jobId, keys }) => {
    const packed = Buffer.alloc(8 * keys.length)
    keys.forEach((key, at) => void packed.writeBigInt64LE(key, 8 * at))
    return { job_id: jobId, keys: packed }
  }),
  jobs: kept.jobs.map(countersOf),
  drift: kept.drift
})

/** What {@link entryOfSegment} noted. */
export const segmentOfEntry = ({ bytes, drift, epoch, jobs, keys, seq }: SegmentEntry): StoredSegment => ({
  seq,
  epoch,
  bytes,
  keys: keys.map(({ job_id: jobId, keys: packed }) => {
    const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
    const unpacked = new BigInt64Array(packed.length / 8)
    for (let at = 0; at < unpacked.length; at++) unpacked[at] = view.getBigInt64(8 * at, true)
    return { jobId, keys: unpacked }
  }),
  jobs: jobs.map(snapshotOf),
  drift
})

/** The end of a run as it is noted. */
export const entryOfEnd = ({ receipt, submissions }: RunEnd): typeof ReceiptEntry.Type => ({
  note_version: 1,
  receipt,
  submissions: submissions.map((made) => ({
    ordinal: made.ordinal,
    kind: made.kind,
    url: made.url,
    request_hash: made.requestHash,
    submitted_at: made.submittedAt,
    tokens: made.tokens,
    job_id: made.jobId
  }))
})

/** What {@link entryOfEnd} noted. */
export const endOfEntry = ({ receipt, submissions }: typeof ReceiptEntry.Type): RunEnd => ({
  receipt,
  submissions: submissions.map(
    (made): Submission => ({
      ordinal: made.ordinal,
      kind: made.kind,
      url: made.url,
      requestHash: made.request_hash,
      submittedAt: made.submitted_at,
      tokens: made.tokens,
      jobId: made.job_id
    })
  )
})
