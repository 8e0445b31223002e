import { Effect } from "effect"
import { Command } from "effect/cli"
import { printResult } from "../Output.ts"
import { checkPipelineFile } from "../PipelineFile.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** `sluice validate`: checks a file without connecting to anything. */
export const validate = Command.make(
  "validate",
  { file: pipelineArgument, json: jsonFlag },
  Effect.fnUntraced(function* ({ file: named, json }) {
    const { file, pipeline } = yield* checkPipelineFile(named)
    const { hash, name } = pipeline
    yield* printResult(
      json
        ? JSON.stringify({ file, pipeline: name, config_hash: hash })
        : `${file}: pipeline "${name}" is valid (config ${hash})`
    )
  })
).pipe(Command.withDescription("Check a pipeline file; connects to nothing"))
