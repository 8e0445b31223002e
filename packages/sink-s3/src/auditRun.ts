import { type AuditClaim, type AuditFinding, findingsOf } from "@sluice/core/sink"
import { Effect, Stream } from "effect"
import { parseDocument } from "./Documents.ts"
import { type ObjectStore, objectOf } from "./ObjectStore.ts"
import { readPointer } from "./Pointer.ts"
import { type Part, RunManifest } from "./RunManifest.ts"
import type { StoreError } from "./StoreError.ts"

/** Parts that are read at once. */
const partsAtOnce = 2

/** Holds what readers see of a run against what is claimed: pointer, manifest, and every part, byte by byte. */
export const auditRun = (
  store: ObjectStore,
  sink: string,
  { claimed, isLatest, isPublished, pipeline, receipt, runId }: AuditClaim
): Stream.Stream<AuditFinding, StoreError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { differs, unknown } = findingsOf(sink)
      const found = yield* readPointer(store, pipeline)
      const run = found?.pointer.runs.find(({ run_id }) => run_id === runId)
      if (run === undefined && !isPublished && receipt.unpublished !== undefined) {
        return Stream.make(unknown("pointer", "the run is not published: readers do not see it"))
      }
      if (run === undefined) {
        const isReplaced = found?.pointer.mode === "replace" && (!isLatest || receipt.status !== "completed")
        return Stream.make(
          isReplaced
            ? unknown("pointer", "readers are shown another run")
            : differs("pointer", "readers do not see this run")
        )
      }
      const bytes = yield* store.read(run.manifest)
      if (bytes === undefined) return Stream.make(differs(run.manifest, "the manifest is not there"))
      const isSame = objectOf(bytes, "").sha256 === run.sha256
      if (!isSame) return Stream.make(differs(run.manifest, "the manifest is not the one the pointer was moved to"))
      const { parts, rows, tokens } = yield* parseDocument(RunManifest, run.manifest, bytes)
      const counts = [
        ...Object.entries({ ...claimed.rows, dead_letters: claimed.dead_letters }).map(
          ([dataset, claimed]) => [`rows of ${dataset}`, rows[dataset] ?? 0, claimed] as const
        ),
        ["tokens charged", tokens.charged, receipt.tokens.charged] as const,
        ["tokens reserved", tokens.reserved, receipt.tokens.reserved] as const
      ]
      return Stream.concat(
        Stream.fromIterable(
          counts.flatMap(([what, held, claimed]) =>
            held === claimed ? [] : [differs(run.manifest, `it counts ${held} ${what}, the receipt claims ${claimed}`)]
          )
        ),
        Stream.fromIterable(parts).pipe(
          Stream.mapEffect((part) => Effect.map(wrongWith(store, part), (detail) => [part.key, detail] as const), {
            concurrency: partsAtOnce
          }),
          Stream.filter(([, detail]) => detail !== undefined),
          Stream.map(([key, detail]) => differs(key, detail!))
        )
      )
    })
  )

const wrongWith = (store: ObjectStore, { bytes, key, sha256 }: Part): Effect.Effect<string | undefined, StoreError> =>
  Effect.map(store.read(key), (found) => {
    if (found === undefined) return "the object is not there"
    if (found.length !== bytes) return `the object has ${found.length} bytes, the manifest says ${bytes}`
    return objectOf(found, "").sha256 === sha256 ? undefined : "the object is not the one that was written"
  })
