import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ExitCodeOfCommand } from "../ExitCodeOfCommand.ts"
import { tell } from "../Output.ts"
import { loadPipelineFile } from "../PipelineFile.ts"
import { assertPlan, printPlan } from "../printPlan.ts"
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

const PlanHash = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{12,64}$/, { expected: "the hash that sluice plan prints, or 12 digits of it at least" })
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
    ),
    plan: Flag.Boolean("plan").pipe(
      Flag.withDescription("Print what the run would do and cost, and do nothing: as sluice plan"),
      Flag.withDefault(false)
    ),
    expectPlan: Flag.String("expect-plan").pipe(
      Flag.withDescription("Run only what this plan says: its hash, or 12 digits of it at least"),
      Flag.withMetavar("HASH"),
      Flag.withSchema(PlanHash),
      Flag.optional
    ),
    healthFile: Flag.String("health-file").pipe(
      Flag.withDescription("Write how the run is to this file, as JSON: when it begins and when it ends"),
      Flag.optional
    ),
    metricsFile: Flag.String("metrics-file").pipe(
      Flag.withDescription("Write metrics of the ended run to this file, for the textfile collector of Prometheus"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ expectPlan, file, fresh, healthFile, json, metricsFile, plan }) {
    const loaded = yield* loadPipelineFile(file)
    if (Option.isSome(expectPlan)) yield* assertPlan(loaded, expectPlan.value, { fresh })
    if (plan) return yield* printPlan(loaded, { json, fresh, withStatements: false })
    const exit = yield* ExitCodeOfCommand
    if (fresh)
      yield* tell(
        "sluice: starting a new run; an unfinished run is left as it is, and what it has paid for is not used"
      )
    exit.code = yield* runAndReport(loaded, {
      json,
      resume: fresh ? "never" : "auto",
      ...(Option.isSome(healthFile) ? { healthFile: healthFile.value } : {}),
      ...(Option.isSome(metricsFile) ? { metricsFile: metricsFile.value } : {})
    })
  })
).pipe(Command.withDescription("Run a pipeline: crawl, load, and print the receipt; resumes an unfinished run"))
