import { Pipeline } from "@sluice/core"
import type { PublishedRun } from "@sluice/core/config"
import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { invalid } from "../CliError.ts"
import { runCliError } from "../cliErrors.ts"
import { openLedger } from "../database.ts"
import { printResult } from "../Output.ts"
import { loadPipelineFile } from "../PipelineFile.ts"
import { resolveRun } from "../resolveRun.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** `sluice publish`: shows readers a run that was loaded whole and ended unpublished. */
export const publish = Command.make(
  "publish",
  {
    run: Argument.String("RUN").pipe(
      Argument.withDescription("ID, or its beginning, of a run that ended unpublished; see sluice runs")
    ),
    file: pipelineArgument,
    json: jsonFlag
  },
  Effect.fnUntraced(function* ({ file, json, run }) {
    const loaded = yield* loadPipelineFile(file)
    const { ledger, pipeline } = loaded
    const runId = yield* resolveRun(loaded, run)
    const published = yield* Pipeline.publish(pipeline, {
      runId,
      ...(Option.isSome(ledger) ? { ledger: yield* openLedger(ledger.value) } : {})
    }).pipe(Effect.mapError((error) => (error._tag === "PublishRefused" ? invalid(error.message) : runCliError(error))))
    yield* printResult(json ? JSON.stringify(toJson(published)) : describe(published))
  }, Effect.scoped)
).pipe(Command.withDescription("Publish a run that was loaded whole and ended unpublished; asks the API for nothing"))

const sinksOf = ({ run }: PublishedRun) => run.receipt?.sinks ?? []

const toJson = (published: PublishedRun) => {
  const { result, run } = published
  return {
    run_id: run.runId,
    pipeline: run.pipeline,
    result,
    published_at: publishedAt(published),
    sinks: sinksOf(published).map(({ name, rows }) => ({ name, pages: rows.pages }))
  }
}

/** A run that met no guard was published as it ended. */
const publishedAt = ({ run }: PublishedRun): string | null => {
  const at = run.publishedAt ?? run.finishedAt
  return at === null ? null : new Date(at).toISOString()
}

const describe = (published: PublishedRun): string => {
  const { result, run } = published
  if (result === "already") return `run ${run.runId} was published before (${publishedAt(published)})`
  const sinks = sinksOf(published).map(({ name, rows }) => `sink "${name}" with ${rows.pages} pages`)
  return `run ${run.runId} is published: ${sinks.join(", ")}`
}
