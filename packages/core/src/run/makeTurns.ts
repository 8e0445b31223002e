import { Effect, Semaphore } from "effect"

/** Lets one piece of work of a key happen at a time; those of different keys do not wait for each other. */
export type Turns = <A, E, R>(key: string, work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Makes turns that remember no key longer than somebody works under it or waits to. */
export const makeTurns = (): Turns => {
  const turns = new Map<string, { readonly semaphore: Semaphore.Semaphore; users: number }>()
  return (key, work) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const turn = turns.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
        turn.users++
        turns.set(key, turn)
        return turn
      }),
      ({ semaphore }) => semaphore.withPermit(work),
      (turn) => Effect.sync(() => void (--turn.users === 0 && turns.delete(key)))
    )
}
