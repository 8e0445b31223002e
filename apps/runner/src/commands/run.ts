import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ExitCodeOfCommand } from "../ExitCodeOfCommand.ts"
import { tell } from "../Output.ts"
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
  {
    file: pipelineArgument,
    json: jsonFlag,
    fresh: Flag.Boolean("fresh").pipe(
      Flag.withDescription("Start a new run even if the last one has not ended, and pay for it"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ file, fresh, json }) {
    const loaded = yield* loadPipelineFile(file)
    const exit = yield* ExitCodeOfCommand
    if (fresh)
      yield* tell(
        "sluice: starting a new run; an unfinished run is left as it is, and what it has paid for is not used"
      )
    exit.code = yield* runAndReport(loaded, { json, resume: fresh ? "never" : "auto" })
  })
).pipe(Command.withDescription("Run a pipeline: crawl, load, and print the receipt; resumes an unfinished run"))
