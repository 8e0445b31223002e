import { Context } from "effect"

/** What a process was started with and where. */
interface Surroundings {
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly isTerminal: boolean
  /** Columns of the terminal on standard error, as they are now. */
  readonly columns: () => number
  /** Columns of the terminal on standard output, as they are now; undefined where that is none, and nothing is cut. */
  readonly outputColumns?: () => number | undefined
  /** Writes a part of a line to standard error. */
  readonly writeError: (text: string) => void
  /** Calls back when the terminal has other columns; answers what ends that. */
  readonly onResize?: (changed: () => void) => () => void
  /** Whether somebody can be asked: standard input and output are terminals. Nobody can where it is absent. */
  readonly isInteractive?: boolean
}

/** What this process was started with and where. The one place that reads it from Node. */
export const Environment: Context.Reference<Surroundings> = Context.Reference("@sluice/runner/Environment", {
  defaultValue: (): Surroundings => ({
    variables: process.env,
    isTerminal: process.stderr.isTTY === true,
    columns: () => process.stderr.columns ?? 80,
    outputColumns: () => (process.stdout.isTTY === true ? (process.stdout.columns ?? 80) : undefined),
    writeError: (text) => void process.stderr.write(text),
    onResize: (changed) => {
      process.stderr.on("resize", changed)
      return () => process.stderr.off("resize", changed)
    },
    isInteractive: process.stdin.isTTY === true && process.stdout.isTTY === true
  })
})
