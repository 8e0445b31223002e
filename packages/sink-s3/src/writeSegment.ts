import type { PageRecord } from "@sluice/core"
import { countersOf, type DeadLetter, deadLetterOf, type Segment } from "@sluice/core/sink"
import { Effect } from "effect"
import { columnsOf, deadLetterRows, type LakeDataset, linkRows, metadataRows, pageRows, type Rows } from "./Columns.ts"
import { documentOf, writeOnce } from "./Documents.ts"
import { entryKey, partKey } from "./Layout.ts"
import { type ObjectStore, objectOf } from "./ObjectStore.ts"
import type { PartFormat } from "./PartFormat.ts"
import { type Part, SegmentEntry } from "./RunManifest.ts"
import type { StoreError } from "./StoreError.ts"

/** Where a segment goes, and as what. */
export interface SegmentTarget {
  readonly store: ObjectStore
  readonly format: PartFormat
  readonly pipeline: string
}

/** What a segment came to. */
export interface WrittenSegment {
  readonly parts: ReadonlyArray<Part>
  /** The records that became dead letters. */
  readonly quarantined: ReadonlyArray<PageRecord>
}

/** Parts of one segment that are encoded and written at once. */
const partsAtOnce = 2

/** Writes the parts of a segment, then a note of them. Whatever is repeated finds the same objects there. */
export const writeSegment = Effect.fnUntraced(function* (
  target: SegmentTarget,
  segment: Segment
): Effect.fn.Return<WrittenSegment, StoreError> {
  const { deadLetters, records } = sift(segment.records)
  const rows: ReadonlyArray<readonly [LakeDataset, Rows]> = [
    ["pages", pageRows(records)],
    ["links", linkRows(records)],
    ["page_metadata", metadataRows(records)],
    ["dead_letters", deadLetterRows(deadLetters)]
  ]
  const parts = yield* Effect.forEach(
    rows.filter(([, rows]) => rows.length > 0),
    ([dataset, rows]) => writePart(target, { ...segment, dataset }, rows),
    { concurrency: partsAtOnce }
  )
  const note: SegmentEntry = { note_version: 1, parts, jobs: segment.jobs.map(countersOf) }
  yield* writeOnce(target.store, entryKey({ ...segment, pipeline: target.pipeline }), documentOf(SegmentEntry, note))
  return { parts, quarantined: deadLetters.map(({ record }) => record) }
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
