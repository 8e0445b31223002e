import { makePipeline, type PipelineDefinition } from "./pipeline/makePipeline.ts"
import { auditAccount } from "./run/auditAccount.ts"
import { audit } from "./run/auditRun.ts"
import { planRun } from "./run/plan/planRun.ts"
import { publishUnpublished } from "./run/publishUnpublished.ts"
import { replay } from "./run/replayRuns.ts"
import { execute, run } from "./run/runPipeline.ts"

/** What is crawled, what is done with it, and where it goes, as one value. */
export type Pipeline = PipelineDefinition

/**
 * Pipelines: `make` one, `plan` what its next run would do and cost, `run` it to its receipt, or `execute` it to learn what stopped it as well; `replay` what a vault holds
 * of it; `publish` a run that ended unpublished; `audit` what a run claims, and `auditAccount` what the API charged for all of them.
 *
 * `make` throws on a name or a policy that is invalid, and opens nothing. `run` fails with `RunNotBegun` if nothing was
 * submitted, else with `RunFailed`; `replay` fails with `ReplayFailed`, `audit` with `AuditFailed`. A run that was left open is
 * resumed by the next `run` of the same name, whatever the source says now. Budgets are in tokens.
 *
 * @example
 * ```ts
 * import { Crawl, Pipeline } from "@sluice/core"
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Config, Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const pipeline = Pipeline.make({
 *     name: "docs",
 *     source: Crawl.make({ url: "https://example.com/", limit: 100 }),
 *     sinks: [Postgres.sink({ url: yield* Config.Redacted("DATABASE_URL") })],
 *     budget: { tokens: 100 }
 *   })
 *   return yield* Pipeline.run(pipeline)
 * })
 * ```
 */
export const Pipeline = {
  make: makePipeline,
  plan: planRun,
  run,
  execute,
  replay,
  publish: publishUnpublished,
  audit,
  auditAccount
}
