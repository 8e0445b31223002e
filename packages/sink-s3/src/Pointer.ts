import { Fenced, LedgerError, type RunHandle } from "@sluice/core/sink"
import { Effect } from "effect"
import { documentOf, parseDocument } from "./Documents.ts"
import type { LakeMode } from "./LakeOptions.ts"
import { pointerKey } from "./Layout.ts"
import type { ObjectStore, Pointed } from "./ObjectStore.ts"
import { LakePointer, type PublishedRun } from "./RunManifest.ts"
import { conflict, type StoreError, unfit, unpublishable } from "./StoreError.ts"

/** Whose pointer it is. */
export interface PointerOwner {
  readonly pipeline: string
  readonly sink: string
  readonly mode: LakeMode
}

/** So many others may move a pointer at the same time before a publication gives up. */
const mostMoves = 20

/** What readers of a pipeline see now; nothing before its first run. */
export const readPointer = Effect.fnUntraced(function* (
  store: ObjectStore,
  pipeline: string
): Effect.fn.Return<{ readonly pointed: Pointed; readonly pointer: LakePointer } | undefined, StoreError> {
  const key = pointerKey(pipeline)
  const pointed = yield* store.readPointer(key)
  if (pointed === undefined) return undefined
  return { pointed, pointer: yield* parseDocument(LakePointer, key, pointed.bytes) }
})

/** Refuses a pipeline whose place here is another sink's, or was filled in another mode. */
export const assertOwner = Effect.fnUntraced(function* (
  store: ObjectStore,
  { mode, pipeline, sink }: PointerOwner
): Effect.fn.Return<void, StoreError> {
  const found = yield* readPointer(store, pipeline)
  if (found === undefined) return
  const { pointer } = found
  if (pointer.sink !== sink) {
    return yield* unfit(
      "admit",
      pointerKey(pipeline),
      `${store.address} holds the pages of pipeline "${pipeline}" by its sink "${pointer.sink}": give sink "${sink}" a place of its own`
    )
  }
  if (pointer.mode !== mode) {
    return yield* unfit(
      "admit",
      pointerKey(pipeline),
      `${store.address} was filled by pipeline "${pipeline}" in mode ${pointer.mode}, and its readers would not expect mode ${mode}: give it another place, or set mode: ${pointer.mode}`
    )
  }
})

/** Takes the place for a pipeline before anything is written: of two sinks that begin in it at once, one is refused. */
export const reserve = Effect.fnUntraced(function* (
  store: ObjectStore,
  owner: PointerOwner
): Effect.fn.Return<void, StoreError> {
  yield* store.movePointer(pointerKey(owner.pipeline), undefined, encode({ ...owner, runs: [] }))
  yield* assertOwner(store, owner)
})

/** Shows readers a run, by one conditional write. A run that another process has since published under a later epoch is kept. */
export const publishPointer = Effect.fnUntraced(function* (
  store: ObjectStore,
  owner: PointerOwner,
  run: RunHandle,
  published: PublishedRun
): Effect.fn.Return<void, StoreError | LedgerError> {
  const key = pointerKey(owner.pipeline)
  for (let moves = 0; moves < mostMoves; moves++) {
    const found = yield* readPointer(store, owner.pipeline)
    const runs = found?.pointer.runs ?? []
    const standing = runs.find(({ run_id }) => run_id === run.runId)
    if (standing !== undefined && standing.epoch > run.epoch) {
      const reason = new Fenced({ epoch: run.epoch, current: standing.epoch })
      return yield* new LedgerError({ operation: "publish", reason })
    }
    if (standing?.sha256 === published.sha256) return
    const later = runs.find(({ started_at }) => started_at > published.started_at)
    if (owner.mode === "replace" && later !== undefined) {
      return yield* unpublishable(
        key,
        `run ${later.run_id}, which began later, has been published: readers keep that one`
      )
    }
    const others = owner.mode === "replace" ? [] : runs.filter(({ run_id }) => run_id !== run.runId)
    const next = [...others, published].sort((a, b) => a.started_at - b.started_at)
    if (yield* store.movePointer(key, found?.pointed, encode({ ...owner, runs: next }))) return
  }
  return yield* conflict(
    "publish",
    key,
    `other processes publish here all the time: gave up after ${mostMoves} attempts`
  )
})

const encode = (pointer: Omit<LakePointer, "pointer_version">): Uint8Array =>
  documentOf(LakePointer, { pointer_version: 1, ...pointer }).bytes
