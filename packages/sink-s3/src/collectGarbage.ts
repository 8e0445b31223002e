import { Clock, Duration, Effect, Stream } from "effect"
import { lakeDatasets } from "./Columns.ts"
import { parseDocument } from "./Documents.ts"
import { datasetFolder, probes, runOf, runsPrefix } from "./Layout.ts"
import type { ObjectStore, StoredObject } from "./ObjectStore.ts"
import { readPointer } from "./Pointer.ts"
import { RunManifest } from "./RunManifest.ts"
import type { StoreError } from "./StoreError.ts"

/** What may be removed. */
export interface GarbageOptions<E> {
  readonly pipeline: string
  /**
   * Whether a run may still be resumed, or be published although it ended unpublished. One that ends is published before it says
   * so.
   */
  readonly isKept: (runId: string) => Effect.Effect<boolean, E>
  /** What is younger stays, whatever it is: a run of a ledger nobody here knows may be writing it. */
  readonly olderThan: Duration.Input
}

/** What was removed. */
export interface Garbage {
  readonly objects: number
  readonly uploads: number
}

/** Objects that are removed in one request. */
const removedAtOnce = 1000

/**
 * Deletes unreferenced objects: parts of processes that died before their commit or lost their run, entries of runs that
 * have ended, runs that were replaced, uploads that were never finished. A reader of a replaced run
 * loses it.
 */
export const collectGarbage = Effect.fn("collectGarbage")(function* <E>(
  store: ObjectStore,
  options: GarbageOptions<E>
): Effect.fn.Return<Garbage, StoreError | E> {
  const before = (yield* Clock.currentTimeMillis) - Duration.toMillis(options.olderThan)
  const folders = [
    // Entries go first: a run without them cannot be published any more, so readers never see half of its parts.
    runsPrefix(options.pipeline),
    ...lakeDatasets.map((dataset) => datasetFolder(dataset, options.pipeline))
  ]
  let objects = 0
  for (const prefix of [...folders, probes]) {
    const keeps = keeperOf(store, options)
    yield* store.list(prefix).pipe(
      Stream.filter(({ modifiedAt }) => modifiedAt < before),
      Stream.filterEffect((object) => Effect.map(keeps(object), (isKept) => !isKept)),
      Stream.grouped(removedAtOnce),
      Stream.runForEach((garbage) =>
        Effect.map(store.remove(garbage.map(({ key }) => key)), () => {
          objects += garbage.length
        })
      )
    )
  }
  let uploads = 0
  for (const prefix of folders) uploads += yield* store.abortUploads(prefix, before)
  return { objects, uploads }
})

/** Objects are listed run by run, so at most one manifest is in memory. */
const keeperOf = <E>(store: ObjectStore, { isKept, pipeline }: GarbageOptions<E>) => {
  let run: { readonly id: string; readonly keeps: (key: string) => boolean } | undefined
  return ({ key }: StoredObject): Effect.Effect<boolean, StoreError | E> => {
    const id = runOf(key)
    if (id === undefined) return Effect.succeed(false)
    if (run?.id === id) return Effect.succeed(run.keeps(key))
    return Effect.gen(function* () {
      // In this order: a run that has ended was published before.
      const keeps = (yield* isKept(id)) ? () => true : yield* shownBy(store, pipeline, id)
      run = { id, keeps }
      return keeps(key)
    })
  }
}

/** Which objects of a run its readers need. */
const shownBy = Effect.fnUntraced(function* (
  store: ObjectStore,
  pipeline: string,
  runId: string
): Effect.fn.Return<(key: string) => boolean, StoreError> {
  const found = yield* readPointer(store, pipeline)
  const manifest = found?.pointer.runs.find(({ run_id }) => run_id === runId)?.manifest
  const bytes = manifest === undefined ? undefined : yield* store.read(manifest)
  if (manifest === undefined || bytes === undefined) return () => false
  const { parts } = yield* parseDocument(RunManifest, manifest, bytes)
  const shown = new Set([manifest, ...parts.map(({ key }) => key)])
  return (key) => shown.has(key) || key.endsWith("/_SUCCESS")
})
