import { Context } from "effect"

/** What this process was started with and where. The one place that reads it from Node. */
export const Environment: Context.Reference<{
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Where the embedded database and the embedded scraper keep their state, under the working directory. */
  readonly stateDirectory: string
  readonly isTerminal: boolean
}> = Context.Reference("@sluice/runner/Environment", {
  defaultValue: () => ({
    variables: process.env,
    stateDirectory: ".sluice",
    isTerminal: process.stderr.isTTY === true
  })
})
