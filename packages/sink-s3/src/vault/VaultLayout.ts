// Names of objects of a vault, below its prefix.

const digits = (n: number, length: number) => String(n).padStart(length, "0")
/** The folder of all that is kept of a pipeline: what runs hold, then their notes. */
export const folder = (pipeline: string): string => `vault/pipeline=${pipeline}/`

/** The folder of the notes of runs, by the instant they began: their order is that of time. */
export const runEntries = (pipeline: string): string => `${folder(pipeline)}runs/`

/** The note of a run. */
export const runEntryKey = (run: { readonly pipeline: string; readonly startedAt: number; readonly runId: string }) =>
  `${runEntries(run.pipeline)}${digits(run.startedAt, 14)}-${run.runId}.json`

/** The folder of all that is kept of a run. */
export const runFolder = (pipeline: string, runId: string): string => `${folder(pipeline)}run=${runId}/`

/** The run an object belongs to. */
export const runOf = (key: string): string | undefined =>
  /\/run=([^/]+)\//.exec(key)?.[1] ?? /\/runs\/\d{14,}-(.+)\.json$/.exec(key)?.[1]

/** Results, as they came, under the SHA-256 of the object. */
export const rawResultsKey = (pipeline: string, runId: string, sha256: string): string =>
  `${runFolder(pipeline, runId)}answers/${sha256}.jsonl.zst`

/** What is noted by a process that holds a run, under its epoch. */
export type EntryKind = "epoch" | "end" | "receipt"

/** The note of a process that holds a run. */
export const entryKey = (pipeline: string, runId: string, kind: EntryKind, epoch: number): string =>
  `${runFolder(pipeline, runId)}${kind}-${digits(epoch, 4)}.json`

/** The note of a segment. */
export const segmentKey = (pipeline: string, runId: string, epoch: number, seq: number): string =>
  `${runFolder(pipeline, runId)}segment-${digits(epoch, 4)}-${digits(seq, 6)}.json`

/** What the name of an object in a run's folder says of it. */
export const readName = (
  key: string
): { readonly kind: EntryKind | "segment"; readonly epoch: number; readonly seq: number } | undefined => {
  const found = /\/(epoch|end|receipt|segment)-(\d{4,})(?:-(\d{6,}))?\.json$/.exec(key)
  return found === null
    ? undefined
    : { kind: found[1] as EntryKind | "segment", epoch: Number(found[2]), seq: Number(found[3] ?? 0) }
}
