import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, type Scope } from "effect"

/** A directory for the scope. */
export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-lock-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A process of a test and what it said first. */
export interface Said {
  readonly child: ChildProcess
  readonly line: string
}

const holder = fileURLToPath(new URL("./holder.ts", import.meta.url))

/** Starts a holder, by way of another program where `through` says so, and waits for its first line; it ends with the scope. */
export const startHolder = (args: ReadonlyArray<string>, through: ReadonlyArray<string> = []) =>
  Effect.acquireRelease(
    Effect.promise(async (): Promise<Said> => {
      const [command, ...rest] = [...through, process.execPath, holder, ...args]
      const child = spawn(command!, rest, { stdio: ["ignore", "pipe", "pipe"] })
      child.stderr.resume()
      const [first] = (await once(child.stdout, "data")) as [Buffer]
      return { child, line: first.toString().trim() }
    }),
    ({ child }) => Effect.promise(() => end(child))
  )

/** Ends a process at once, as a crash does. */
export const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, "exit")
  child.kill("SIGKILL")
  await gone
}

/** What starts a program in a PID namespace of its own; the program ends with it. */
export const ownNamespace = ["unshare", "-p", "-f", "-m", "--mount-proc", "--kill-child"]

/** Why no PID namespace can be made here, if none can: it takes root on Linux, and a container may refuse even that. */
export const namespaceRefusal = (): string | undefined => {
  try {
    execFileSync(ownNamespace[0]!, [...ownNamespace.slice(1), "true"], { stdio: "pipe" })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.trim().replaceAll("\n", " ") : "unshare failed"
  }
}
