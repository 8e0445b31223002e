import { RunStatus, JobCounters as StoredCounters } from "@sluice/core/sink"
import { Schema } from "effect"
import { lakeDatasets } from "./Columns.ts"
import { LakeFormat, LakeMode } from "./LakeOptions.ts"

/** An object with rows of one dataset. `key` is below the sink's prefix; `bytes` and `sha256` are of the object as it is. */
export const Part = Schema.Struct({
  dataset: Schema.Literals(lakeDatasets),
  key: Schema.String,
  rows: Schema.Int,
  bytes: Schema.Int,
  sha256: Schema.String
})
export type Part = typeof Part.Type

/** The latest counters of a job. Whatever status a later Sluice knows, its manifests are read. */
const JobCounters = Schema.Struct({ ...StoredCounters.fields, status: Schema.String })
export type JobCounters = typeof JobCounters.Type

/** What a segment wrote: parts, or one object for all datasets, to be gathered into parts with others. */
const PartsEntry = Schema.Struct({
  note_version: Schema.Literal(1),
  parts: Schema.Array(Part),
  jobs: Schema.Array(JobCounters)
})
const StagedEntry = Schema.Struct({
  note_version: Schema.Literal(2),
  /** Where its records are, and about what they weigh. */
  staged: Schema.Struct({ key: Schema.String, weight: Schema.Int }),
  jobs: Schema.Array(JobCounters)
})
/** Kept until the run has been published, since another process may have to. */
export const SegmentEntry = Schema.Union([PartsEntry, StagedEntry])
export type SegmentEntry = typeof SegmentEntry.Type
export type StagedEntry = typeof StagedEntry.Type

/** The parts that staged segments were gathered into. Once it is there, their records are not needed to publish them again. */
export const GatheredEntry = Schema.Struct({ note_version: Schema.Literal(1), parts: Schema.Array(Part) })
export type GatheredEntry = typeof GatheredEntry.Type

/** All that readers may see of a run: just the parts of segments that stand in the ledger. */
export const RunManifest = Schema.Struct({
  manifest_version: Schema.Literal(1),
  pipeline: Schema.String,
  sink: Schema.String,
  run_id: Schema.String,
  epoch: Schema.Int,
  /** Epoch milliseconds. */
  started_at: Schema.Finite,
  status: RunStatus,
  mode: LakeMode,
  format: LakeFormat,
  rows: Schema.Record(Schema.String, Schema.Int),
  /** Pages of the run that completed, of those in `rows`; absent in manifests of earlier builds. */
  completed_pages: Schema.optionalKey(Schema.Int),
  bytes: Schema.Int,
  tokens: Schema.Struct({ charged: Schema.Int, reserved: Schema.Int }),
  jobs: Schema.Array(JobCounters),
  parts: Schema.Array(Part)
}).annotate({ identifier: "RunManifest" })
export type RunManifest = typeof RunManifest.Type

/** A run that readers see. */
export const PublishedRun = Schema.Struct({
  run_id: Schema.String,
  epoch: Schema.Int,
  started_at: Schema.Finite,
  status: RunStatus,
  manifest: Schema.String,
  sha256: Schema.String
})
export type PublishedRun = typeof PublishedRun.Type

/** What readers of a pipeline see: one run in mode replace, every published one in mode append, oldest first. */
export const LakePointer = Schema.Struct({
  pointer_version: Schema.Literal(1),
  pipeline: Schema.String,
  sink: Schema.String,
  mode: LakeMode,
  runs: Schema.Array(PublishedRun)
}).annotate({ identifier: "LakePointer" })
export type LakePointer = typeof LakePointer.Type
