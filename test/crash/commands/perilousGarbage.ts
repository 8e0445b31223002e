import { Effect, Stream } from "effect"
import type { ObjectStore } from "../../../packages/sink-s3/src/ObjectStore.ts"
import { type Fate, phased } from "./Phase.ts"

/** A store in which a process can die before, during and after each step of a collection of garbage. */
export const perilousGarbage = (store: ObjectStore, fate: Fate, removesOneByOne: boolean): ObjectStore => ({
  ...store,
  read: (key) => phased(fate, "read of object", store.read(key)),
  readPointer: (key) => phased(fate, "read of object", store.readPointer(key)),
  list: (prefix) =>
    Stream.fromEffectDrain(fate.at("before list")).pipe(
      Stream.concat(Stream.tap(store.list(prefix), () => fate.at("during list"))),
      Stream.concat(Stream.fromEffectDrain(fate.at("after list")))
    ),
  // A directory removes one file after the other, and a process may die between any two.
  remove: (keys) =>
    removesOneByOne
      ? Effect.forEach(keys, (key) => phased(fate, "removal", store.remove([key])), { discard: true })
      : phased(fate, "removal", store.remove(keys)),
  abortUploads: (prefix, before) => phased(fate, "end of uploads", store.abortUploads(prefix, before))
})
