import { Pipeline } from "@sluice/core"
import type { Plan, PlanOptions } from "@sluice/core/types"
import { Postgres } from "@sluice/sink-postgres"
import { Effect, Option } from "effect"
import { apiAccess } from "./apiAccess.ts"
import { exitCodes } from "./CliError.ts"
import { databaseCliError, runCliError } from "./cliErrors.ts"
import { marksOf } from "./marksOf.ts"
import type { PipelineFile } from "./PipelineFile.ts"

/** What a run of a pipeline file would do and cost. Writes nothing and asks the API nothing. */
export const planPipelineFile = Effect.fnUntraced(function* (
  loaded: PipelineFile,
  { resume }: Required<Pick<PlanOptions, "resume">>
) {
  const { ledger: settings, machine, pipeline } = loaded
  const access = yield* apiAccess(machine.api)
  const ledger = Option.isNone(settings)
    ? {}
    : { ledger: yield* Postgres.plan(settings.value).pipe(Effect.mapError(databaseCliError)) }
  return yield* Pipeline.plan(pipeline, {
    resume,
    marks: marksOf(loaded),
    api: access === undefined ? "the embedded scraper" : originOf(access.baseUrl),
    ...ledger
  }).pipe(Effect.mapError(runCliError))
}, Effect.scoped)

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : url)

/** What a run that follows a plan would end with at once; 0 where it could begin. */
export const exitCodeOfPlan = ({ action, ledger, sinks }: Plan): number => {
  if (action === "halt" || action === "refuse") return exitCodes.halted
  const stores = ledger === undefined ? sinks : [...sinks, ledger]
  return stores.some(({ checks }) => checks.some(({ result }) => result === "missing"))
    ? exitCodes.failed
    : exitCodes.completed
}
