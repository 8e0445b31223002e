import { type LedgerError, Publication, type RunHandle } from "@sluice/core/sink"
import { Effect, Stream } from "effect"
import { columnsOf, lakeDatasets, type Row } from "./Columns.ts"
import { documentOf, parseDocument, writeOnce } from "./Documents.ts"
import { formatOf } from "./formatOf.ts"
import type { LakeOptions } from "./LakeOptions.ts"
import { entryKey, manifestKey, partFolder } from "./Layout.ts"
import { type ObjectStore, objectOf } from "./ObjectStore.ts"
import { publishPointer } from "./Pointer.ts"
import { type JobCounters, type Part, RunManifest, SegmentEntry } from "./RunManifest.ts"
import { conflict, type StoreError } from "./StoreError.ts"
import { writePart } from "./writeSegment.ts"

/** Notes that are read at once. */
const notesAtOnce = 8

/**
 * Shows readers a run: a manifest of the parts that stand in the ledger, then the pointer to it. What was written besides,
 * by a process that died before its commit or lost the run, is in no manifest. Again, it changes nothing.
 */
export const publishRun = Effect.fnUntraced(function* (
  store: ObjectStore,
  options: LakeOptions,
  run: RunHandle
): Effect.fn.Return<void, StoreError | LedgerError, Publication> {
  const { completed, assertLease, status } = yield* Publication
  const { jobs, parts } = yield* committedParts(store, run)
  const target = { store, format: formatOf(options), pipeline: run.pipeline }
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
})

/** The parts and the latest counters of all segments that the ledger holds. */
export const committedParts = Effect.fnUntraced(function* (
  store: ObjectStore,
  run: RunHandle
): Effect.fn.Return<
  { readonly jobs: ReadonlyArray<JobCounters>; readonly parts: Array<Part> },
  StoreError | LedgerError,
  Publication
> {
  const { segments } = yield* Publication
  const parts: Array<Part> = []
  const jobs = new Map<string, JobCounters>()
  const readEntry = Effect.fnUntraced(function* (segment: { readonly epoch: number; readonly seq: number }) {
    const key = entryKey({ ...run, ...segment })
    const bytes = yield* store.read(key)
    if (bytes !== undefined) return yield* parseDocument(SegmentEntry, key, bytes)
    return yield* conflict(
      "read",
      key,
      "the ledger holds a segment of which there is no note: objects have been removed"
    )
  })
  yield* segments.pipe(
    Stream.mapEffect(readEntry, { concurrency: notesAtOnce }),
    Stream.runForEach((note) =>
      Effect.sync(() => {
        parts.push(...note.parts)
        for (const job of note.jobs) {
          const known = jobs.get(job.job_id)
          if (known === undefined || known.observed_at <= job.observed_at) jobs.set(job.job_id, job)
        }
      })
    )
  )
  return { parts, jobs: [...jobs.values()].sort((a, b) => (a.job_id < b.job_id ? -1 : 1)) }
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
