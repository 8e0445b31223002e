import { Effect, Semaphore } from "effect"

/** Lets one piece of work of a key happen at a time; those of different keys do not wait for each other. */
export type KeyedMutex = <A, E, R>(key: string, work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Makes turns that remember no key longer than somebody works under it or waits to. */
export const makeKeyedMutex = (): KeyedMutex => {
  const locks = new Map<string, { readonly semaphore: Semaphore.Semaphore; users: number }>()
  return (key, work) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const lock = locks.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
        lock.users++
        locks.set(key, lock)
        return lock
      }),
      ({ semaphore }) => semaphore.withPermit(work),
      (lock) => Effect.sync(() => void (--lock.users === 0 && locks.delete(key)))
    )
}
