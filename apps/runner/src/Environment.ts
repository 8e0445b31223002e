import { Context } from "effect"

/** What a process was started with and where. */
interface Surroundings {
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly isTerminal: boolean
  /** Columns of the terminal on standard error, as they are now. */
  readonly columns: () => number
  /** Columns of the terminal on standard output, as they are now; undefined where that is none, and nothing is cut. */
  readonly outputColumns?: () => number | undefined
  /** Writes to standard output, and waits until it can take more; absent: {@link writeStdout}. */
  readonly writeOutput?: (chunk: string | Uint8Array) => Promise<void>
  /** Writes a part of a line to standard error. */
  readonly writeError: (text: string) => void
  /** Calls back when the terminal has other columns; answers what ends that. */
  readonly onResize?: (changed: () => void) => () => void
  /** Whether somebody can be asked: standard input and output are terminals. Nobody can where it is absent. */
  readonly isInteractive?: boolean
}

let isListening = false

/** Writes to this process's standard output. Rejected where nobody reads it any more. */
export const writeStdout = (chunk: string | Uint8Array): Promise<void> => {
  // The failure is that of the write: without a listener it would end the process.
  if (!isListening) process.stdout.on("error", () => undefined)
  isListening = true
  return new Promise((resolve, reject) => {
    process.stdout.write(chunk, (cause) => (cause ? reject(cause) : resolve()))
  })
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
