import { Directory, type Garbage, S3, type StoreError } from "@sluice/sink-s3"
import { Duration, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { CliError, exitCodes, invalid } from "../CliError.ts"
import { ledgerCliError } from "../cliErrors.ts"
import { openRunsOf } from "../database.ts"
import { printResult } from "../Output.ts"
import { loadPipelineFile } from "../PipelineFile.ts"
import type { Lake } from "../PipelineSinks.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** `sluice gc`: removes what no reader of a sink of objects is shown. */
export const gc = Command.make(
  "gc",
  {
    file: pipelineArgument,
    json: jsonFlag,
    olderThan: Flag.Int("older-than-hours").pipe(
      Flag.withDescription("Leaves what is younger, whatever it is"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8760 }))),
      Flag.withDefault(24)
    )
  },
  Effect.fnUntraced(function* ({ file, json, olderThan }) {
    const loaded = yield* loadPipelineFile(file)
    if (loaded.lakes.length === 0) return yield* invalid(`${loaded.file} has no s3 or directory sink`)
    const ledger = yield* openRunsOf(Option.some(loaded))
    const pipeline = loaded.pipeline.name
    const options = {
      pipeline,
      isKept: (runId: string) =>
        Effect.gen(function* () {
          // In this order: a run may end in between, unpublished.
          if ((yield* ledger.open({ runId })) !== undefined) return true
          return (yield* ledger.unpublished(pipeline)).some((run) => run.runId === runId)
        }).pipe(Effect.mapError(ledgerCliError)),
      olderThan: Duration.hours(olderThan)
    }
    let garbage: Garbage = { objects: 0, uploads: 0 }
    for (const lake of loaded.lakes) {
      const { objects, uploads } = yield* Effect.mapError(collect(lake, options), storeRefusal)
      garbage = { objects: garbage.objects + objects, uploads: garbage.uploads + uploads }
    }
    yield* printResult(
      json ? JSON.stringify(garbage) : `removed ${garbage.objects} objects and ${garbage.uploads} unfinished uploads`
    )
  }, Effect.scoped)
).pipe(Command.withDescription("Delete unreferenced objects from the pipeline's s3 and directory sinks"))

type Options = Parameters<typeof S3.collectGarbage<CliError>>[1]

const collect = (lake: Lake, options: Options): Effect.Effect<Garbage, StoreError | CliError> =>
  lake.kind === "s3" ? S3.collectGarbage(lake.options, options) : Directory.collectGarbage(lake.options, options)

const storeRefusal = (error: StoreError | CliError): CliError =>
  error instanceof CliError ? error : new CliError({ sentences: [error.message], exitCode: exitCodes.failed })
