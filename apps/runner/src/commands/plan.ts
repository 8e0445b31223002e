import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { loadPipelineFile } from "../PipelineFile.ts"
import { printPlan } from "../printPlan.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** `sluice plan`: what a run would do and cost. */
export const plan = Command.make(
  "plan",
  {
    file: pipelineArgument,
    json: jsonFlag,
    ddl: Flag.Boolean("ddl").pipe(
      Flag.withDescription("Print the statements that prepare databases as well"),
      Flag.withDefault(false)
    ),
    fresh: Flag.Boolean("fresh").pipe(
      Flag.withDescription("Plan a new run even if the last one has not ended"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ ddl, file, fresh, json }) {
    yield* printPlan(yield* loadPipelineFile(file), { json, fresh, withStatements: ddl })
  })
).pipe(Command.withDescription("Print what a run would do and cost; writes nothing, asks the API nothing"))
