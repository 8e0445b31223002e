import { pipelineJsonSchema } from "@sluice/core"
import { Command } from "effect/cli"
import { machineFields } from "../ApiSettings.ts"
import { printResult } from "../Output.ts"
import { sinkFactories } from "../PipelineFile.ts"

/** `sluice schema`: the JSON Schema editors complete and check pipeline files with. */
export const schema = Command.make("schema", {}, () =>
  printResult(JSON.stringify(pipelineJsonSchema(sinkFactories, machineFields), null, 2))
).pipe(Command.withDescription("Print the JSON Schema of pipeline files"))
