import type { PageRecord } from "@sluice/core"
import { countersOf, type DeadLetter, deadLetterOf, type Segment, type WrittenRows } from "@sluice/core/sink"
import { Effect } from "effect"
import { columnsOf, deadLetterRow, type LakeDataset, type Rows } from "./Columns.ts"
import { documentOf, writeOnce } from "./Documents.ts"
import { formatOf } from "./formatOf.ts"
import type { LakeOptions } from "./LakeOptions.ts"
import { entryKey, partKey, stagedKey } from "./Layout.ts"
import { type ObjectStore, objectOf } from "./ObjectStore.ts"
import type { PartFormat } from "./PartFormat.ts"
import { type Part, SegmentEntry } from "./RunManifest.ts"
import { datasetRows, type SegmentContent } from "./SegmentContent.ts"
import { stagedObject } from "./StagedSegment.ts"
import type { StoreError } from "./StoreError.ts"

/** Where a segment goes, and as what. */
export interface SegmentTarget {
  readonly store: ObjectStore
  readonly format: PartFormat
  readonly pipeline: string
  /** About what the pages of a part weigh. */
  readonly partBytes: number
}

/** Where the segments of a run go. */
export const segmentTarget = (
  store: ObjectStore,
  options: Pick<LakeOptions, "compression" | "format" | "part_bytes">,
  { pipeline }: { readonly pipeline: string }
): SegmentTarget => ({ store, format: formatOf(options), pipeline, partBytes: options.part_bytes })

/** What a segment came to. */
export interface WrittenSegment {
  readonly rows: WrittenRows
  /** The records that became dead letters. */
  readonly quarantined: ReadonlyArray<PageRecord>
}

/** Parts of one segment that are encoded and written at once. */
const partsAtOnce = 2

/** The heaviest segment that is staged: a heavier one is a fair part by itself. */
const mostStagedBytes = 16 * 1024 * 1024

/**
 * Whether a segment waits to be gathered with others. Not the first: where a run has no other, there is nothing to gather it with, and its
 * parts need not be read and written again.
 */
const isStaged = ({ records, seq }: Segment, partBytes: number): boolean =>
  seq > 1 && records.length > 0 && weightOf(records) < Math.min(mostStagedBytes, partBytes / 2)

const weightOf = (records: ReadonlyArray<PageRecord>): number => records.reduce((sum, { bytes }) => sum + bytes, 0)

/** Writes the parts of a segment, or stages it, then a note of that. Whatever is repeated finds the same objects there. */
export const writeSegment = Effect.fnUntraced(function* (
  target: SegmentTarget,
  segment: Segment
): Effect.fn.Return<WrittenSegment, StoreError> {
  const { deadLetters, records } = sift(segment.records)
  const content = { pages: records, deadLetters: deadLetters.map(deadLetterRow) }
  const write = isStaged(segment, target.partBytes) ? stageSegment : writeParts
  const note = yield* write(target, segment, content)
  yield* writeOnce(target.store, entryKey({ ...segment, pipeline: target.pipeline }), documentOf(SegmentEntry, note))
  return {
    rows: {
      pages: records.length,
      links: records.reduce((sum, { links }) => sum + links.length, 0),
      page_metadata: records.length
    },
    quarantined: deadLetters.map(({ record }) => record)
  }
})

const stageSegment = Effect.fnUntraced(function* (
  { pipeline, store }: SegmentTarget,
  { epoch, jobs, records, runId, seq }: Segment,
  content: SegmentContent
): Effect.fn.Return<SegmentEntry, StoreError> {
  const key = stagedKey({ pipeline, runId, epoch, seq })
  yield* writeOnce(store, key, yield* stagedObject(content))
  return { note_version: 2, staged: { key, weight: weightOf(records) }, jobs: jobs.map(countersOf) }
})

const writeParts = Effect.fnUntraced(function* (
  target: SegmentTarget,
  segment: Segment,
  content: SegmentContent
): Effect.fn.Return<SegmentEntry, StoreError> {
  const parts = yield* Effect.forEach(
    datasetRows([content]),
    ([dataset, rows]) => writePart(target, { ...segment, dataset }, rows),
    { concurrency: partsAtOnce }
  )
  return { note_version: 1, parts, jobs: segment.jobs.map(countersOf) }
})

/** Writes one part. */
export const writePart = Effect.fnUntraced(function* (
  { format, pipeline, store }: SegmentTarget,
  name: { readonly dataset: LakeDataset; readonly runId: string; readonly epoch: number; readonly seq: number },
  rows: Rows
): Effect.fn.Return<Part, StoreError> {
  const key = partKey({ ...name, pipeline }, format.extension)
  const bytes = yield* format.encode(columnsOf[name.dataset], rows)
  const object = objectOf(bytes, format.contentType)
  yield* writeOnce(store, key, object)
  return { dataset: name.dataset, key, rows: rows.length, bytes: bytes.length, sha256: object.sha256 }
})

/** Quarantines records that break the contract or that engines cannot read. Of two deliveries of a page the first counts. */
const sift = (given: ReadonlyArray<PageRecord>) => {
  const deadLetters: Array<DeadLetter> = []
  const records = new Map<string, PageRecord>()
  for (const record of given) {
    const deadLetter = deadLetterOf(record)
    if (deadLetter !== undefined) deadLetters.push(deadLetter)
    else {
      const id = `${record.jobId}\n${record.key}`
      if (!records.has(id)) records.set(id, record)
    }
  }
  return { deadLetters, records: [...records.values()] }
}
