import { Effect, type Scope } from "effect"
import type { Life } from "./Life.ts"

/** When a process is to die: of which of its requests to the API, counted from 1, and how many milliseconds after. */
export interface DeathAt {
  readonly request: number
  readonly delay: number
}

/** Kills processes at their requests, as the API sees them come. */
export const makeDeath = () => {
  let doomed: { readonly life: Life; readonly delay: number } | undefined
  let requestsLeft = 0
  const kill = (life: Life) => Effect.sync(() => life.kill("SIGKILL"))
  return {
    /** What the simulated API does at each request. */
    onRequest: () =>
      Effect.suspend(() => {
        if (doomed === undefined || --requestsLeft !== 0) return Effect.void
        const { delay, life } = doomed
        return delay === 0 ? kill(life) : Effect.asVoid(Effect.forkDetach(Effect.delay(kill(life), delay)))
      }),
    /** Lets a process live until it dies as it is to, or ends by itself before. */
    await: (begin: Effect.Effect<Life, never, Scope.Scope>, { delay, request }: DeathAt) =>
      Effect.scoped(
        Effect.gen(function* () {
          const life = yield* begin
          doomed = { life, delay }
          requestsLeft = request
          return yield* Effect.ensuring(
            life.end,
            Effect.sync(() => {
              doomed = undefined
            })
          )
        })
      )
  }
}
