import { Publication, type PublishPreview, type RunHandle } from "@sluice/core/sink"
import { Effect } from "effect"
import { parseDocument } from "./Documents.ts"
import type { ObjectStore } from "./ObjectStore.ts"
import { readPointer } from "./Pointer.ts"
import { RunManifest } from "./RunManifest.ts"
import { conflict, type StoreError } from "./StoreError.ts"

/** What moving the pointer to a run would take from readers: two reads, whatever the run's size. */
export const previewReplace = Effect.fnUntraced(function* (
  store: ObjectStore,
  run: RunHandle
): Effect.fn.Return<PublishPreview, StoreError, Publication> {
  const { completed: after } = yield* Publication
  const found = yield* readPointer(store, run.pipeline)
  const shown = found?.pointer.runs[0]
  if (shown === undefined) return { before: 0, after }
  const bytes = yield* store.read(shown.manifest)
  if (bytes === undefined) {
    return yield* conflict("read", shown.manifest, "the manifest of the run that readers see has been removed")
  }
  const before = completedIn(yield* parseDocument(RunManifest, shown.manifest, bytes))
  return shown.run_id === run.runId ? { before, after: before } : { before, after }
})

/** Earlier builds did not count: at most the rows, and at most what the jobs completed. */
const completedIn = ({ completed_pages: completed, jobs, rows }: RunManifest): number =>
  completed ??
  Math.min(
    rows.pages ?? 0,
    jobs.reduce((sum, job) => sum + job.pages_completed, 0)
  )
