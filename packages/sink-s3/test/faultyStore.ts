import { Effect, Stream } from "effect"
import type { ObjectStore } from "../src/ObjectStore.ts"
import { StoreError, StoreFailed } from "../src/StoreError.ts"

/** When the nth call of a store goes wrong: before it has any effect, or after, with its answer lost. */
export interface Fault {
  readonly nth: number
  readonly when: "before" | "after"
}

/** A store that fails at one call and at each after it, as a process sees it that has lost the network, or died. */
export const faultyStore = (store: ObjectStore, fault: Fault | undefined) => {
  let calls = 0
  const failure = new StoreError({
    operation: "test",
    key: "",
    reason: new StoreFailed({ detail: "broke off", cause: "test" }),
    isRetryable: false
  })
  const around = <A>(work: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.suspend(() => {
      calls++
      if (fault === undefined || calls < fault.nth) return work
      return calls === fault.nth && fault.when === "after" ? Effect.andThen(work, failure) : failure
    })
  const faulty: ObjectStore = {
    address: store.address,
    create: (key, object) => around(store.create(key, object)),
    read: (key) => around(store.read(key)),
    digest: (key) => around(store.digest(key)),
    readPointer: (key) => around(store.readPointer(key)),
    movePointer: (key, before, bytes) => around(store.movePointer(key, before, bytes)),
    list: (prefix) => Stream.unwrap(around(Effect.succeed(store.list(prefix)))),
    remove: (keys) => around(store.remove(keys)),
    abortUploads: (prefix, before) => around(store.abortUploads(prefix, before))
  }
  return { store: faulty, calls: () => calls }
}
