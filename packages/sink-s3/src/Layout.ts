import { hash } from "node:crypto"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { LakeDataset } from "./Columns.ts"

// Names of objects below a prefix. What begins with _ is Sluice's own: engines that read whole folders pass it over.

const folder = (pipeline: string) => `_sluice/pipeline=${pipeline}/`
const runFolder = (pipeline: string, runId: string) => `${folder(pipeline)}run=${runId}/`
const digits = (n: number, length: number) => String(n).padStart(length, "0")
const segmentName = ({ epoch, seq }: { readonly epoch: number; readonly seq: number }) =>
  `${digits(epoch, 4)}-${digits(seq, 6)}`
/** Digits of a SHA-256 in a name: enough to tell the few parts apart that one epoch may write for one segment. */
const hashDigits = 8

/** What a part is of. */
export interface PartName {
  readonly dataset: LakeDataset
  readonly pipeline: string
  readonly runId: string
  readonly epoch: number
  readonly seq: number
}

/** The folder of a dataset's parts. */
export const datasetRoot = (dataset: LakeDataset): string => `dataset=${dataset}/`

/** The folder of a dataset's parts that runs of a pipeline wrote. */
export const datasetFolder = (dataset: LakeDataset, pipeline: string): string =>
  `${datasetRoot(dataset)}pipeline=${pipeline}/`

/** The folder of a dataset's parts that a run wrote, as Hive partitions. */
export const partFolder = ({ dataset, pipeline, runId }: Omit<PartName, "epoch" | "seq">): string =>
  `${datasetFolder(dataset, pipeline)}run=${runId}/`

/** A part. The epoch is in its name: what a process that lost its run still writes never meets what its heir writes. */
export const partKey = (name: PartName, extension: string): string =>
  `${partFolder(name)}part-${segmentName(name)}.${extension}`

/** A part that several segments were gathered into, the first of which is `seq`. Its name holds a hash of its bytes. */
export const gatheredPartKey = (name: PartName, sha256: string, extension: string): string =>
  `${partFolder(name)}part-${segmentName(name)}-${sha256.slice(0, hashDigits)}.${extension}`

/** What a segment wrote. */
export const entryKey = ({ pipeline, runId, ...segment }: Omit<PartName, "dataset">): string =>
  `${runFolder(pipeline, runId)}segment-${segmentName(segment)}.json`

/** The records of a small segment, until they are gathered into parts. */
export const stagedKey = ({ pipeline, runId, ...segment }: Omit<PartName, "dataset">): string =>
  `${runFolder(pipeline, runId)}staged-${segmentName(segment)}.jsonl.gz`

/** The parts that staged segments were gathered into: named by the first segment and by a hash of the names of all. */
export const gatheredKey = (
  { pipeline, runId }: { readonly pipeline: string; readonly runId: string },
  segments: NonEmptyReadonlyArray<{ readonly epoch: number; readonly seq: number }>
): string =>
  `${runFolder(pipeline, runId)}gathered-${segmentName(segments[0])}-${hash("sha256", segments.map(segmentName).join(), "hex").slice(0, 2 * hashDigits)}.json`

/** Where a COPY of Redshift looks for the manifests of a pipeline. No run's, so no collection touches it. */
export const redshiftFolder = (pipeline: string): string => `${folder(pipeline)}redshift/`

/** All that a run may show readers. */
export const manifestKey = ({ epoch, pipeline, runId }: Omit<PartName, "dataset" | "seq">): string =>
  `${runFolder(pipeline, runId)}manifest-${digits(epoch, 4)}.json`

/** What readers are shown: see `LakePointer`. */
export const pointerKey = (pipeline: string): string => `${folder(pipeline)}latest.json`

/** Sluice's own objects of a pipeline's runs. */
export const runsPrefix = (pipeline: string): string => `${folder(pipeline)}run=`

/** What a sink tries a store with; left by processes that died at it. */
export const probes = "_sluice/probe/"

/** The run an object belongs to. */
export const runOf = (key: string): string | undefined => /\/run=([^/]+)\//.exec(key)?.[1]
