import { Context } from "effect"

/** What this process was started with and where. The one place that reads it from Node. */
export const Environment: Context.Reference<{
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly isTerminal: boolean
  /** Columns of the terminal on standard error, as they are now. */
  readonly columns: () => number
}> = Context.Reference("@sluice/runner/Environment", {
  defaultValue: () => ({
    variables: process.env,
    isTerminal: process.stderr.isTTY === true,
    columns: () => process.stderr.columns ?? 80
  })
})
