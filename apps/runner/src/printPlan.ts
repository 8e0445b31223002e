import { Effect } from "effect"
import { invalid } from "./CliError.ts"
import { describePlan } from "./describePlan.ts"
import { ExitCodeOfCommand } from "./ExitCodeOfCommand.ts"
import { printResult } from "./Output.ts"
import type { PipelineFile } from "./PipelineFile.ts"
import { exitCodeOfPlan, planPipelineFile } from "./planPipelineFile.ts"

/** Prints the plan of a pipeline file, and ends as its run would where that could not begin. */
export const printPlan = Effect.fnUntraced(function* (
  loaded: PipelineFile,
  options: { readonly json: boolean; readonly fresh: boolean; readonly withStatements: boolean }
) {
  const planned = yield* planPipelineFile(loaded, { resume: options.fresh ? "never" : "auto" })
  const exit = yield* ExitCodeOfCommand
  exit.code = exitCodeOfPlan(planned)
  yield* printResult(options.json ? JSON.stringify(planned) : describePlan(planned, options))
})

/** Refuses a run that would do anything else than a plan that somebody has seen. `expected` is its hash, or the first digits of it. */
export const assertPlan = Effect.fnUntraced(function* (
  loaded: PipelineFile,
  expected: string,
  { fresh }: { readonly fresh: boolean }
) {
  const { hash } = yield* planPipelineFile(loaded, { resume: fresh ? "never" : "auto" })
  if (hash.startsWith(expected)) return
  return yield* invalid(
    `the plan is ${hash}, and not ${expected} as expected: look at it with "sluice plan ${loaded.file}". Nothing was paid for`
  )
})
