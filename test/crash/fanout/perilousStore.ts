import { Effect } from "effect"
import type { ObjectStore } from "../../../packages/sink-s3/src/ObjectStore.ts"
import type { Executioner } from "../Executioner.ts"
import type { FanoutPoint, KeptObject, LakeObject } from "./points.ts"

/** What the key of an object of a vault or a spool says it is. */
const keptObject = (key: string): KeptObject | undefined => {
  if (key.includes("/runs/")) return "run note"
  if (key.includes("/answers/")) return "answers"
  const [, kind] = /\/(epoch|end|receipt|segment)-[^/]*$/.exec(key) ?? []
  return kind === undefined ? undefined : (`${kind} note` as KeptObject)
}

const lakeObject = (key: string): LakeObject | undefined => {
  if (key.startsWith("dataset=")) return "part"
  if (key.includes("/manifest-")) return "manifest"
  if (key.includes("/staged-")) return "staged segment"
  if (key.includes("/gathered-")) return "gathered note"
  return key.includes("/segment-") ? "segment note" : undefined
}

/** The store of a vault or a spool, with points around each write and each removal of an object. */
export const perilousVaultStore = (
  store: ObjectStore,
  { around }: Pick<Executioner<FanoutPoint>, "around">
): ObjectStore => ({
  ...store,
  create: (key, object) => {
    const what = keptObject(key)
    const work = store.create(key, object)
    return what === undefined ? work : around(`before write of kept ${what}`, work, `after write of kept ${what}`)
  },
  // One by one, as a directory removes them: a process may die between any two.
  remove: (keys) =>
    Effect.forEach(
      keys,
      (key) => {
        const what = keptObject(key)
        const work = store.remove([key])
        return what === undefined
          ? work
          : around(`before removal of kept ${what}`, work, `after removal of kept ${what}`)
      },
      { discard: true }
    )
})

/** The store of a lake, with points around each write of an object, each move of a pointer and each removal of what was gathered. */
export const perilousLakeStore = (
  store: ObjectStore,
  { around }: Pick<Executioner<FanoutPoint>, "around">
): ObjectStore => ({
  ...store,
  create: (key, object) => {
    const what = lakeObject(key)
    const work = store.create(key, object)
    return what === undefined ? work : around(`before write of lake ${what}`, work, `after write of lake ${what}`)
  },
  remove: (keys) =>
    Effect.forEach(
      keys,
      (key) =>
        around("before removal of lake staged segment", store.remove([key]), "after removal of lake staged segment"),
      { discard: true }
    ),
  movePointer: (key, before, bytes) => {
    const what = before === undefined ? "claim" : "pointer"
    return around(`before write of lake ${what}`, store.movePointer(key, before, bytes), `after write of lake ${what}`)
  }
})
