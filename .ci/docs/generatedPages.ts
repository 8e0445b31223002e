import { Effect } from "effect"
import { commandReference } from "./commandReference.ts"
import { pipelineFields } from "./pipelineFields.ts"

/** The checked-in pages that are made from the code, by their paths. */
export const generatedPages = Effect.gen(function* () {
  return [
    { path: "docs/reference/commands.md", text: yield* commandReference },
    { path: "docs/reference/pipeline-fields.md", text: pipelineFields() }
  ]
})
