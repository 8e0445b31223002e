import type { TooManyRequests } from "@sluice/contract"
import { Context, Effect, Layer } from "effect"
import type { HttpServerRequest } from "effect/http"
import { Batches } from "./Batches.ts"
import { Crawls } from "./Crawls.ts"
import { tooMany } from "./Envelope.ts"
import { ExtractJobs } from "./ExtractJobs.ts"
import { ServerSettings } from "./ScraperConfig.ts"

/** How many jobs and synchronous extractions a key may have open at once. */
export class Quota extends Context.Service<
  Quota,
  {
    /** Runs what opens one more, or fails with 429. It counts while it runs; a job it leaves behind counts on. */
    readonly withOne: <A, E, R>(
      owner: string,
      run: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | TooManyRequests, R | HttpServerRequest.HttpServerRequest>
    /** How much of the limits a key uses now. */
    readonly usage: (owner: string) => { readonly open_jobs: number; readonly max_open_jobs: number }
  }
>()("@sluice/scraper/Quota") {
  static readonly layer: Layer.Layer<Quota, never, Batches | Crawls | ExtractJobs | ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const { maxOpenJobsPerKey } = yield* ServerSettings
      const batches = yield* Batches
      const crawls = yield* Crawls
      const extractions = yield* ExtractJobs
      const running = new Map<string, number>()
      const add = (owner: string, step: number) =>
        Effect.sync(() => running.set(owner, (running.get(owner) ?? 0) + step))

      const openOf = (owner: string) =>
        [batches, crawls, extractions].reduce((sum, kind) => sum + kind.openJobs(owner), running.get(owner) ?? 0)

      return Quota.of({
        usage: (owner) => ({ open_jobs: openOf(owner), max_open_jobs: maxOpenJobsPerKey }),
        withOne: Effect.fnUntraced(function* (owner, run) {
          if (openOf(owner) >= maxOpenJobsPerKey) return yield* tooMany("Concurrency limit reached", retryAfterSeconds)
          return yield* Effect.acquireUseRelease(
            add(owner, 1),
            () => run,
            () => add(owner, -1)
          )
        })
      })
    })
  )
}

/** A guess: jobs do not tell when they end. */
const retryAfterSeconds = 5
