import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { invalid } from "../CliError.ts"
import { ExitCodeOfCommand } from "../ExitCodeOfCommand.ts"
import { loadPipelineFile } from "../PipelineFile.ts"
import { resolveRun } from "../resolveRun.ts"
import { runAndReport } from "../runPipelineFile.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** The run a command is about. */
const runArgument = Argument.String("RUN").pipe(
  Argument.withDescription("ID, or its beginning, of a run that has not ended or is incomplete; see sluice runs")
)

/** What `--adopt` takes in place of an id, where a run of many submissions has lost them all. */
const adoptAll = "all"

/** `sluice resume`: resumes a named run, with a decision if the run has halted for one. */
export const resume = Command.make(
  "resume",
  {
    run: runArgument,
    file: pipelineArgument,
    json: jsonFlag,
    adopt: Flag.String("adopt").pipe(
      Flag.withDescription(
        "The job that a submission whose answer was lost has become, or that no run explains; all for each of the latter"
      ),
      Flag.optional
    ),
    resubmit: Flag.Boolean("resubmit").pipe(
      Flag.withDescription("Submit again what may have been submitted; may pay a second time"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ adopt, file, json, resubmit, run: runId }) {
    if (Option.isSome(adopt) && resubmit)
      return yield* invalid("--adopt and --resubmit exclude each other: give one of them")
    const loaded = yield* loadPipelineFile(file)
    const exit = yield* ExitCodeOfCommand
    exit.code = yield* runAndReport(loaded, {
      json,
      resume: { runId: yield* resolveRun(loaded, runId) },
      ...(Option.isSome(adopt)
        ? { decision: adopt.value === adoptAll ? "adopt all" : { adopt: adopt.value } }
        : resubmit
          ? { decision: "resubmit" as const }
          : {})
    })
  })
).pipe(Command.withDescription("Resume a run that has not ended, or read an incomplete one again"))

/** `sluice cancel`: cancels a run's remote jobs and lands what has been paid for. */
export const cancel = Command.make(
  "cancel",
  { run: runArgument, file: pipelineArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ file, json, run: runId }) {
    const loaded = yield* loadPipelineFile(file)
    const exit = yield* ExitCodeOfCommand
    exit.code = yield* runAndReport(loaded, {
      json,
      resume: { runId: yield* resolveRun(loaded, runId) },
      cancel: true
    })
  })
).pipe(
  Command.withDescription("Cancel a run that has not ended: its remote jobs as well; lands what has been paid for")
)
