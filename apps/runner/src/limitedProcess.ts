import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { type Duration, Effect } from "effect"

/** How a process ended. */
export interface Ended {
  readonly code: number
  readonly stderr: string
}

/**
 * Runs this program once more with other arguments, in a process that is ended after a while: the embedded database blocks the
 * one it runs in, and nothing else can stop a statement of it. It survives that, as any crash. None: it took too long.
 */
export const limitedProcess = (args: ReadonlyArray<string>, limit: Duration.Duration) =>
  Effect.scoped(
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [...process.execArgv, process.argv[1] ?? "", ...args], {
          stdio: ["ignore", "inherit", "pipe"]
        })
      ),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    ).pipe(
      Effect.flatMap((child) =>
        Effect.promise(async (): Promise<Ended> => {
          const [stderr, code] = await Promise.all([
            text(child.stderr),
            new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 1)))
          ])
          return { code, stderr }
        })
      ),
      Effect.timeoutOption(limit)
    )
  )
