import type { Pipeline } from "@sluice/core"
import type { StorePlan } from "@sluice/core/sink"
import { Postgres } from "@sluice/sink-postgres"
import { Effect, Option } from "effect"
import type { LedgerSettings } from "../ApiSettings.ts"
import type { CliError } from "../CliError.ts"
import { databaseCliError, runCliError } from "../cliErrors.ts"
import type { PipelineFile } from "../PipelineFile.ts"
import { check, type HealthCheck } from "./HealthCheck.ts"

/** The sinks and the ledger of a pipeline: whether they answer, take the pipeline and grant what it needs; by writes only if told. */
export const checkStores = Effect.fnUntraced(function* (
  { ledger, pipeline }: Pick<PipelineFile, "ledger" | "pipeline">,
  { writes }: { readonly writes: boolean }
) {
  const checks: Array<HealthCheck> = []
  for (const sink of pipeline.sinks) checks.push(...(yield* checkSink(pipeline, sink, writes)))
  if (Option.isSome(ledger)) checks.push(...(yield* checkLedger(ledger.value, writes)))
  return checks
})

const checkSink = (pipeline: Pipeline, { name, plan, tryWrites }: Pipeline["sinks"][number], writes: boolean) => {
  const subject = `sink ${name}`
  return Effect.gen(function* () {
    const found = plan === undefined ? undefined : yield* plan(pipeline.name)
    const read =
      found === undefined
        ? [check("skipped", subject, "it cannot be looked at without a write")]
        : [describe(subject, found)]
    if (!writes || tryWrites === undefined) return read
    return [...read, check("ok", subject, `write probe: ${yield* tryWrites}`)]
  }).pipe(
    Effect.mapError(runCliError),
    Effect.catch((error) => failure(subject, error)),
    Effect.scoped
  )
}

const checkLedger = (settings: LedgerSettings, writes: boolean) =>
  Effect.gen(function* () {
    const read = [describe("ledger", yield* Postgres.plan(settings))]
    return writes ? [...read, check("ok", "ledger", `write probe: ${yield* Postgres.tryWrites(settings)}`)] : read
  }).pipe(
    Effect.mapError(databaseCliError),
    Effect.catch((error) => failure("ledger", error)),
    Effect.scoped
  )

const failure = (subject: string, error: CliError): Effect.Effect<ReadonlyArray<HealthCheck>> =>
  Effect.succeed(error.sentences.map((sentence) => check("failed", subject, sentence)))

const describe = (subject: string, { checks, ledger, place, server }: StorePlan): HealthCheck => {
  const of = (result: string) => checks.filter((each) => each.result === result).map(({ what }) => what)
  const where = server === undefined ? place : `${place} (${server})`
  const lacks = of("missing")
  if (lacks.length > 0) return check("failed", subject, `${where} lacks ${lacks.join("; ")}`)
  const prepared =
    ledger === "new" ? ", which the first run prepares" : ledger === "outdated" ? ", which the next run upgrades" : ""
  const untried = of("unknown")
  const open = untried.length === 0 ? "" : `; not tried without --write-probe: ${untried.join(", ")}`
  return check("ok", subject, `${where}${prepared}${open}`)
}
