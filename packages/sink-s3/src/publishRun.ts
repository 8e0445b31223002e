import { type LedgerError, Publication, type RunHandle } from "@sluice/core/sink"
import { Effect, Stream } from "effect"
import { columnsOf, lakeDatasets, type Row } from "./Columns.ts"
import { documentOf, parseDocument, writeOnce } from "./Documents.ts"
import { type CommittedEntry, gatherGroup, groupSegments } from "./gatherSegments.ts"
import type { LakeOptions } from "./LakeOptions.ts"
import { entryKey, manifestKey, partFolder } from "./Layout.ts"
import { type ObjectStore, objectOf } from "./ObjectStore.ts"
import { publishPointer } from "./Pointer.ts"
import { type JobCounters, type Part, RunManifest, SegmentEntry } from "./RunManifest.ts"
import { conflict, type StoreError } from "./StoreError.ts"
import { segmentTarget, writePart } from "./writeSegment.ts"

/** Notes that are read at once. */
const notesAtOnce = 8

/** Keys that are removed in one call. */
const removedAtOnce = 1000

/**
 * Shows readers a run: gathers what was staged into parts, writes a manifest of the segments that the ledger holds, and moves the
 * pointer to it. What was written besides, by a process that died before its commit or lost the run, is in no manifest. Again, it
 * changes nothing.
 */
export const publishRun = Effect.fnUntraced(function* (
  store: ObjectStore,
  options: LakeOptions,
  run: RunHandle
): Effect.fn.Return<void, StoreError | LedgerError, Publication> {
  const { completed, assertLease, status } = yield* Publication
  const { entries, jobs } = yield* committedEntries(store, run)
  const target = segmentTarget(store, options, run)
  const parts = entries.flatMap(({ entry }) => (entry.note_version === 1 ? entry.parts : []))
  for (const group of groupSegments(entries, options.part_bytes))
    parts.push(...(yield* gatherGroup(target, run, group)))
  if (jobs.length > 0)
    parts.push(yield* writePart(target, { ...run, dataset: "token_summaries", seq: 0 }, jobs.map(toRow)))
  const manifest: RunManifest = {
    manifest_version: 1,
    pipeline: run.pipeline,
    sink: options.name,
    run_id: run.runId,
    epoch: run.epoch,
    started_at: run.startedAt,
    status,
    mode: options.mode,
    format: options.format,
    rows: Object.fromEntries(lakeDatasets.map((dataset) => [dataset, sumOf(parts, dataset)])),
    completed_pages: completed,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    tokens: {
      charged: jobs.reduce((sum, { tokens_charged: tokens }) => sum + tokens, 0),
      reserved: jobs.reduce((sum, { tokens_reserved: tokens }) => sum + tokens, 0)
    },
    jobs,
    parts
  }
  const key = manifestKey(run)
  const document = documentOf(RunManifest, manifest)
  yield* writeOnce(store, key, document)
  yield* assertLease
  yield* publishPointer(store, { pipeline: run.pipeline, sink: options.name, mode: options.mode }, run, {
    run_id: run.runId,
    epoch: run.epoch,
    started_at: run.startedAt,
    status,
    manifest: key,
    sha256: document.sha256
  })
  if (options.success_marker) yield* markSuccess(store, run, parts)
  if (status === "completed") yield* removeStaged(store, entries)
})

/**
 * Removes what parts were made of. A run that did not complete keeps it until it is collected: a later attempt may add segments, which
 * changes the last group.
 */
const removeStaged = (store: ObjectStore, entries: ReadonlyArray<CommittedEntry>): Effect.Effect<void> =>
  Stream.fromIterable(entries.flatMap(({ entry }) => (entry.note_version === 2 ? [entry.staged.key] : []))).pipe(
    Stream.grouped(removedAtOnce),
    Stream.runForEach((keys) => store.remove(keys)),
    Effect.catch((error) =>
      Effect.logWarning(`the run is published; what its parts were made of is left to "sluice gc": ${error.message}`)
    )
  )

/** What all segments wrote that the ledger holds, by their numbers, and the latest counters of their jobs. */
export const committedEntries = Effect.fnUntraced(function* (
  store: ObjectStore,
  run: RunHandle
): Effect.fn.Return<
  { readonly jobs: ReadonlyArray<JobCounters>; readonly entries: ReadonlyArray<CommittedEntry> },
  StoreError | LedgerError,
  Publication
> {
  const { segments } = yield* Publication
  const entries: Array<CommittedEntry> = []
  const jobs = new Map<string, JobCounters>()
  const readEntry = Effect.fnUntraced(function* (segment: { readonly epoch: number; readonly seq: number }) {
    const key = entryKey({ ...run, ...segment })
    const bytes = yield* store.read(key)
    if (bytes !== undefined) return { ...segment, entry: yield* parseDocument(SegmentEntry, key, bytes) }
    return yield* conflict(
      "read",
      key,
      "the ledger holds a segment of which there is no note: objects have been removed"
    )
  })
  yield* segments.pipe(
    Stream.mapEffect(({ epoch, seq }) => readEntry({ epoch, seq }), { concurrency: notesAtOnce }),
    Stream.runForEach((committed) =>
      Effect.sync(() => {
        // Their counters are kept once a job: a run of many small jobs names each in several segments.
        entries.push({ ...committed, entry: { ...committed.entry, jobs: [] } })
        for (const job of committed.entry.jobs) {
          const known = jobs.get(job.job_id)
          if (known === undefined || known.observed_at <= job.observed_at) jobs.set(job.job_id, job)
        }
      })
    )
  )
  return { entries, jobs: [...jobs.values()].sort((a, b) => (a.job_id < b.job_id ? -1 : 1)) }
})

/** A job's counters have the names of the columns. */
const toRow = (job: JobCounters): Row => columnsOf.token_summaries.map(({ name }) => job[name as keyof JobCounters])

const sumOf = (parts: ReadonlyArray<Part>, dataset: string): number =>
  parts.reduce((sum, part) => (part.dataset === dataset ? sum + part.rows : sum), 0)

const markSuccess = (store: ObjectStore, run: RunHandle, parts: ReadonlyArray<Part>) =>
  Effect.forEach(
    new Set(parts.map(({ dataset }) => dataset)),
    (dataset) => store.create(`${partFolder({ ...run, dataset })}_SUCCESS`, objectOf(new Uint8Array(), "text/plain")),
    { discard: true }
  )
