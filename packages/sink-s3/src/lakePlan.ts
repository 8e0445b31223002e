import type { PlannedChange, SinkPlan, StoreCheck } from "@sluice/core/sink"
import { Effect } from "effect"
import type { LakeOptions } from "./LakeOptions.ts"
import type { ObjectStore } from "./ObjectStore.ts"
import { assertOwner, readPointer } from "./Pointer.ts"
import type { StoreError } from "./StoreError.ts"

/** Says what a run would do to a sink of objects, by reading its pointer. Fails where the place is another's. */
export const lakePlan = Effect.fnUntraced(function* (
  store: ObjectStore,
  { mode, name }: Pick<LakeOptions, "mode" | "name">,
  pipeline: string,
  write: StoreCheck
): Effect.fn.Return<SinkPlan, StoreError> {
  yield* assertOwner(store, { pipeline, sink: name, mode })
  const runs = (yield* readPointer(store, pipeline))?.pointer.runs ?? []
  const shown = mode === "replace" ? runs.at(-1) : undefined
  const changes: ReadonlyArray<PlannedChange> = [
    ...(runs.length === 0 ? [{ action: "create" as const, what: `the pointer of pipeline "${pipeline}"` }] : []),
    shown === undefined
      ? {
          action: "add",
          what: runs.length === 0 ? "the parts of the run" : `the parts of the run, beside ${runs.length} runs`
        }
      : { action: "replace", what: `the pages of run ${shown.run_id}, once this one has completed` }
  ]
  return { place: store.address, statements: [], checks: [{ what: "read objects", result: "ok" }, write], changes }
})
