import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ExitCodeOfCommand } from "../ExitCodeOfCommand.ts"
import { loadPipelineFile } from "../PipelineFile.ts"
import { runAndReport } from "../runPipelineFile.ts"

/** The pipeline file most commands take. */
export const pipelineArgument = Argument.String("FILE").pipe(
  Argument.withDescription("Pipeline file; sluice.yaml, sluice.yml or sluice.json here when absent"),
  Argument.optional
)

/** Machine-readable output. */
export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON instead of text"),
  Flag.withDefault(false)
)

/** `sluice run`. */
export const run = Command.make(
  "run",
  { file: pipelineArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ file, json }) {
    const { machine, pipeline } = yield* loadPipelineFile(file)
    const exit = yield* ExitCodeOfCommand
    exit.code = yield* runAndReport(pipeline, machine, json)
  })
).pipe(Command.withDescription("Run a pipeline: crawl, load, and print the receipt"))
