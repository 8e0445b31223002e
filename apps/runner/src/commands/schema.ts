import { Command } from "effect/cli"
import { printResult } from "../Output.ts"
import { pipelineFileSchema } from "../PipelineFile.ts"

/** `sluice schema`: the JSON Schema editors complete and check pipeline files with. */
export const schema = Command.make("schema", {}, () => printResult(JSON.stringify(pipelineFileSchema(), null, 2))).pipe(
  Command.withDescription("Print the JSON Schema of pipeline files")
)
