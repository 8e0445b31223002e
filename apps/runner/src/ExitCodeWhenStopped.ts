import { Context } from "effect"
import { exitCodes } from "./CliError.ts"

/** What the process ends with when it is stopped by SIGINT or SIGTERM. A command for which that is no interruption sets it. */
export const ExitCodeWhenStopped: Context.Reference<{ code: number }> = Context.Reference(
  "@sluice/runner/ExitCodeWhenStopped",
  { defaultValue: (): { code: number } => ({ code: exitCodes.interrupted }) }
)
