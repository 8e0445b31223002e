import { Clock, Effect } from "effect"

/** Lets a clock go at its pace from a later instant on. */
export const later =
  (millis: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Clock.clockWith((real) =>
      Effect.provideService(effect, Clock.Clock, {
        ...real,
        currentTimeMillisUnsafe: () => real.currentTimeMillisUnsafe() + millis,
        currentTimeMillis: Effect.map(real.currentTimeMillis, (now) => now + millis),
        monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
        monotonicTimeNanos: real.monotonicTimeNanos,
        currentTimeNanosUnsafe: () => real.currentTimeNanosUnsafe() + BigInt(millis) * 1_000_000n,
        currentTimeNanos: Effect.map(real.currentTimeNanos, (now) => now + BigInt(millis) * 1_000_000n),
        sleep: (duration) => real.sleep(duration)
      })
    )
