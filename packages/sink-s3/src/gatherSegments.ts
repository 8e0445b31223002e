import { Effect } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import { columnsOf, type Rows } from "./Columns.ts"
import { documentOf, parseDocument, writeOnce } from "./Documents.ts"
import { gatheredKey, gatheredPartKey } from "./Layout.ts"
import { type ObjectStore, objectOf } from "./ObjectStore.ts"
import { GatheredEntry, type Part, type SegmentEntry, type StagedEntry } from "./RunManifest.ts"
import { datasetRows } from "./SegmentContent.ts"
import { readStaged } from "./StagedSegment.ts"
import { conflict, type StoreError } from "./StoreError.ts"
import type { SegmentTarget } from "./writeSegment.ts"

/** Staged segments that are read at once. All of a group are in memory while its parts are written. */
const readsAtOnce = 4

/** Parts of a group that are encoded and written at once. */
const partsAtOnce = 2

/** A segment that the ledger holds, and what it wrote. */
export interface CommittedEntry<E extends SegmentEntry = SegmentEntry> {
  readonly epoch: number
  readonly seq: number
  readonly entry: E
}

/** Staged segments that become one part of each dataset. */
export type SegmentGroup = NonEmptyReadonlyArray<CommittedEntry<StagedEntry>>

/**
 * Staged segments in groups that weigh at least so much, the last as much as is left. Segments are given in the order of their numbers,
 * so what is added later changes the last group at most, and every process that publishes a run finds the same groups.
 */
export const groupSegments = (
  entries: ReadonlyArray<CommittedEntry>,
  partBytes: number
): ReadonlyArray<SegmentGroup> => {
  const groups: Array<SegmentGroup> = []
  let open: Array<CommittedEntry<StagedEntry>> = []
  let weight = 0
  const close = () => {
    const [first, ...others] = open
    if (first !== undefined) groups.push([first, ...others])
    open = []
    weight = 0
  }
  for (const { entry, epoch, seq } of entries) {
    if (entry.note_version === 1) continue
    open.push({ entry, epoch, seq })
    weight += entry.staged.weight
    if (weight >= partBytes) close()
  }
  close()
  return groups
}

/** The parts of a group, where they have been written and noted. */
export const findGathered = Effect.fnUntraced(function* (
  store: ObjectStore,
  run: { readonly pipeline: string; readonly runId: string },
  group: SegmentGroup
): Effect.fn.Return<ReadonlyArray<Part> | undefined, StoreError> {
  const key = gatheredKey(run, group)
  const bytes = yield* store.read(key)
  return bytes === undefined ? undefined : (yield* parseDocument(GatheredEntry, key, bytes)).parts
})

/** Writes the parts of a group and a note of them. Of several processes that do so, the first to note its parts is the one that counts. */
export const gatherGroup = Effect.fnUntraced(function* (
  target: SegmentTarget,
  run: { readonly runId: string; readonly epoch: number },
  group: SegmentGroup
): Effect.fn.Return<ReadonlyArray<Part>, StoreError> {
  const { pipeline, store } = target
  const name = { pipeline, runId: run.runId }
  const before = yield* findGathered(store, name, group)
  if (before !== undefined) return before
  const contents = yield* Effect.forEach(group, ({ entry }) => readStaged(store, entry.staged.key), {
    concurrency: readsAtOnce
  })
  const missing = group.find((_, at) => contents[at] === undefined)
  // Another process may have published the run meanwhile, and removed what it had gathered.
  if (missing !== undefined) return (yield* findGathered(store, name, group)) ?? (yield* removed(missing))
  const parts = yield* Effect.forEach(
    datasetRows(contents.filter((content) => content !== undefined)),
    ([dataset, rows]) => writeGathered(target, { ...name, dataset, epoch: run.epoch, seq: group[0].seq }, rows),
    { concurrency: partsAtOnce }
  )
  const note = documentOf(GatheredEntry, { note_version: 1, parts })
  if (yield* store.create(gatheredKey(name, group), note)) return parts
  return (yield* findGathered(store, name, group)) ?? parts
})

const removed = ({ entry, seq }: CommittedEntry<StagedEntry>) =>
  Effect.fail(
    conflict(
      "read",
      entry.staged.key,
      `the ledger holds segment ${seq}, whose records are not there: objects have been removed`
    )
  )

/** Named by its bytes: what a process of another build has left under this epoch is another object. */
const writeGathered = Effect.fnUntraced(function* (
  { format, store }: SegmentTarget,
  name: Parameters<typeof gatheredPartKey>[0],
  rows: Rows
): Effect.fn.Return<Part, StoreError> {
  const bytes = yield* format.encode(columnsOf[name.dataset], rows)
  const object = objectOf(bytes, format.contentType)
  const key = gatheredPartKey(name, object.sha256, format.extension)
  yield* writeOnce(store, key, object)
  return { dataset: name.dataset, key, rows: rows.length, bytes: bytes.length, sha256: object.sha256 }
})
