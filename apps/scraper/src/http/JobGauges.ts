import { Context, Effect, Layer } from "effect"
import { Batches } from "../batch/Batches.ts"
import { Crawls } from "../crawl/Crawls.ts"
import { ExtractJobs } from "../extract/ExtractJobs.ts"
import type { OpenJobs } from "../jobs/Job.ts"

/** The open jobs of all keys, by kind. */
export class JobGauges extends Context.Service<
  JobGauges,
  { readonly all: () => ReadonlyArray<readonly [kind: string, jobs: OpenJobs]> }
>()("@sluice/scraper/http/JobGauges") {
  static readonly layer: Layer.Layer<JobGauges, never, Batches | Crawls | ExtractJobs> = Layer.effect(
    this,
    Effect.gen(function* () {
      const kinds = [
        ["batch", yield* Batches],
        ["crawl", yield* Crawls],
        ["extract", yield* ExtractJobs]
      ] as const
      return JobGauges.of({ all: () => kinds.map(([kind, jobs]) => [kind, jobs.load()] as const) })
    })
  )
}
