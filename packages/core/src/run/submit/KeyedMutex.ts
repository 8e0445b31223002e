import { Effect, RcMap, type Scope, Semaphore } from "effect"

/** Runs one effect of a key at a time. Effects of different keys do not wait for each other. */
export type KeyedMutex = <A, E, R>(key: string, work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Makes a mutex that remembers a key only while an effect runs or waits under it. */
export const makeKeyedMutex: Effect.Effect<KeyedMutex, never, Scope.Scope> = Effect.map(
  RcMap.make({ lookup: (_key: string) => Semaphore.make(1) }),
  (semaphores): KeyedMutex =>
    (key, work) =>
      Effect.scoped(Effect.flatMap(RcMap.get(semaphores, key), (semaphore) => semaphore.withPermit(work)))
)
