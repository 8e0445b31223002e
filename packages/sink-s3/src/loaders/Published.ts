import { Effect } from "effect"
import type { LakeDataset } from "../Columns.ts"
import { parseDocument } from "../Documents.ts"
import { type ObjectStore, objectOf } from "../ObjectStore.ts"
import { readPointer } from "../Pointer.ts"
import { RunManifest } from "../RunManifest.ts"
import { conflict, type StoreError } from "../StoreError.ts"
import { LoaderRefused } from "./LoaderRefused.ts"

/** What a part is written as, which is how its name ends. */
export const partKinds = ["jsonl", "jsonl.gz", "jsonl.zst", "parquet"] as const
export type PartKind = (typeof partKinds)[number]

/** A part that readers may see. `key` is below the sink's prefix. */
export interface PublishedPart {
  readonly key: string
  readonly runId: string
  readonly bytes: number
}

/** Parts of a dataset that are written alike: a statement reads no others with them. */
export interface PartGroup {
  readonly kind: PartKind
  readonly parts: ReadonlyArray<PublishedPart>
}

/** What readers of a pipeline may see, oldest run first. */
export interface Published {
  readonly pipeline: string
  readonly groupsOf: (dataset: LakeDataset) => ReadonlyArray<PartGroup>
}

/** Manifests that are read at once. */
const manifestsAtOnce = 8

/** Reads the pointer of a pipeline and the manifests it names. What is in no manifest is not found this way. */
export const readPublished = Effect.fnUntraced(function* (
  store: ObjectStore,
  pipeline: string
): Effect.fn.Return<Published, StoreError | LoaderRefused> {
  const found = yield* readPointer(store, pipeline)
  const runs = found?.pointer.runs ?? []
  if (runs.length === 0) {
    const detail = `no run of pipeline "${pipeline}" has been published in ${store.address}: run it first`
    return yield* new LoaderRefused({ detail })
  }
  const groups = new Map<string, Array<PublishedPart>>()
  const manifests = yield* Effect.forEach(runs, (run) => readManifest(store, run), { concurrency: manifestsAtOnce })
  for (const { parts, run_id: runId } of manifests) {
    for (const { bytes, dataset, key } of parts) {
      const kind = partKinds.find((kind) => key.endsWith(`.${kind}`))
      if (kind === undefined) {
        return yield* conflict("read", key, "this part is of a format that this version of Sluice does not write")
      }
      const group = groups.get(`${dataset}.${kind}`)
      if (group === undefined) groups.set(`${dataset}.${kind}`, [{ key, runId, bytes }])
      else group.push({ key, runId, bytes })
    }
  }
  return {
    pipeline,
    groupsOf: (dataset) =>
      partKinds.flatMap((kind) => {
        const parts = groups.get(`${dataset}.${kind}`)
        return parts === undefined ? [] : [{ kind, parts }]
      })
  }
})

/** The manifest of a run, which has to be the one its pointer was moved to. */
const readManifest = Effect.fnUntraced(function* (
  store: ObjectStore,
  { manifest, sha256 }: { readonly manifest: string; readonly sha256: string }
): Effect.fn.Return<RunManifest, StoreError> {
  const bytes = yield* store.read(manifest)
  if (bytes === undefined || objectOf(bytes, "application/json").sha256 !== sha256) {
    return yield* conflict(
      "read",
      manifest,
      bytes === undefined
        ? "the pointer names this manifest, and it is not there: objects have been removed"
        : "this is not the manifest the pointer names: it has been changed"
    )
  }
  return yield* parseDocument(RunManifest, manifest, bytes)
})
