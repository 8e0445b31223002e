import { Context, Effect, Layer } from "effect"
import { Batches } from "./Batches.ts"
import { Crawls } from "./Crawls.ts"
import { ExtractJobs } from "./ExtractJobs.ts"

/** How many jobs of a kind wait, and how many are in work. */
export interface OpenJobs {
  readonly queued: number
  readonly processing: number
}

/** The open jobs of all keys, by kind. */
export class JobLoad extends Context.Service<
  JobLoad,
  { readonly all: () => ReadonlyArray<readonly [kind: string, jobs: OpenJobs]> }
>()("@sluice/scraper/JobLoad") {
  static readonly layer: Layer.Layer<JobLoad, never, Batches | Crawls | ExtractJobs> = Layer.effect(
    this,
    Effect.gen(function* () {
      const kinds = [
        ["batch", yield* Batches],
        ["crawl", yield* Crawls],
        ["extract", yield* ExtractJobs]
      ] as const
      return JobLoad.of({ all: () => kinds.map(([kind, jobs]) => [kind, jobs.load()] as const) })
    })
  )
}
