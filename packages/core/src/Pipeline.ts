import { makePipeline, type PipelineDefinition } from "./pipeline/makePipeline.ts"
import { auditAccount } from "./run/auditAccount.ts"
import { audit } from "./run/auditRun.ts"
import { publishUnpublished } from "./run/publishUnpublished.ts"
import { replay } from "./run/replayRuns.ts"
import { execute, run } from "./run/runPipeline.ts"

/** What is crawled, what is done with it, and where it goes, as one value. */
export type Pipeline = PipelineDefinition

/**
 * Pipelines: `make` one, `run` it to its receipt, or `execute` it to learn what stopped it as well; `replay` what a vault holds
 * of it; `publish` a run that ended unpublished; `audit` what a run claims, and `auditAccount` what the API has charged for all of them.
 */
export const Pipeline = { make: makePipeline, run, execute, replay, publish: publishUnpublished, audit, auditAccount }
