import type { LedgerError, Publication, RunHandle } from "@sluice/core/sink"
import { Effect } from "effect"
import { findGathered, groupSegments } from "./gatherSegments.ts"
import type { LakeOptions } from "./LakeOptions.ts"
import { pointerKey } from "./Layout.ts"
import type { ObjectStore } from "./ObjectStore.ts"
import { readPointer } from "./Pointer.ts"
import { committedEntries } from "./publishRun.ts"
import { type StoreError, unpublishable } from "./StoreError.ts"

/** Objects that are looked for at once. */
const looksAtOnce = 8

/** Refuses a run that a later one has replaced, or of which objects have been removed. Reads alone. */
export const admitPublish = Effect.fnUntraced(function* (
  store: ObjectStore,
  { mode, part_bytes }: LakeOptions,
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
  const { entries } = yield* committedEntries(store, run).pipe(
    Effect.catchIf(
      (error) => error._tag === "StoreError" && error.reason._tag === "StoreConflict",
      () => gone(pointerKey(run.pipeline))
    )
  )
  const keys = entries.flatMap(({ entry }) => (entry.note_version === 1 ? entry.parts.map(({ key }) => key) : []))
  for (const group of groupSegments(entries, part_bytes)) {
    const parts = yield* findGathered(store, run, group)
    keys.push(...(parts?.map(({ key }) => key) ?? group.map(({ entry }) => entry.staged.key)))
  }
  yield* Effect.forEach(
    keys,
    (key) => Effect.flatMap(store.digest(key), (digest) => (digest === undefined ? gone(key) : Effect.void)),
    { concurrency: looksAtOnce, discard: true }
  )
})
