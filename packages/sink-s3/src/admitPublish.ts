import type { LedgerError, Publication, RunHandle } from "@sluice/core/sink"
import { Effect } from "effect"
import type { LakeOptions } from "./LakeOptions.ts"
import { pointerKey } from "./Layout.ts"
import type { ObjectStore } from "./ObjectStore.ts"
import { readPointer } from "./Pointer.ts"
import { committedParts } from "./publishRun.ts"
import { type StoreError, unpublishable } from "./StoreError.ts"

/** Parts that are looked for at once. */
const partsAtOnce = 8

/** Refuses a run that a later one has replaced, or of which objects have been removed. Reads alone. */
export const admitPublish = Effect.fnUntraced(function* (
  store: ObjectStore,
  { mode }: LakeOptions,
  run: RunHandle
): Effect.fn.Return<void, StoreError | LedgerError, Publication> {
  const found = yield* readPointer(store, run.pipeline)
  const runs = found?.pointer.runs ?? []
  if (runs.some(({ run_id }) => run_id === run.runId)) return
  const later = runs.find(({ started_at }) => started_at > run.startedAt)
  if (mode === "replace" && later !== undefined) {
    return yield* unpublishable(
      pointerKey(run.pipeline),
      `run ${later.run_id}, which began later, has been published in ${store.address}: readers keep that one`
    )
  }
  const gone = (key: string) =>
    unpublishable(key, `objects of run ${run.runId} have been removed from ${store.address}`)
  const { parts } = yield* committedParts(store, run).pipe(
    Effect.catchIf(
      (error) => error._tag === "StoreError" && error.reason._tag === "StoreConflict",
      () => gone(pointerKey(run.pipeline))
    )
  )
  yield* Effect.forEach(
    parts,
    ({ key }) => Effect.flatMap(store.digest(key), (digest) => (digest === undefined ? gone(key) : Effect.void)),
    { concurrency: partsAtOnce, discard: true }
  )
})
