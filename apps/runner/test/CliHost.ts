import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { bundles, compileCache } from "../../../test/setup/bundles.ts"

/** A command for a host. */
export interface HostedCommand {
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** What the host writes to both of its streams behind the output of the command. */
  readonly mark: string
}

/** A command has ended; after the last one its host has to go. */
export interface HostedEnd {
  readonly code: number
  readonly isLast: boolean
}

/** A command in a host, and what becomes of it. */
export interface Hosted {
  readonly stderr: () => string
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
  /** Kills the host of a command that has not ended. */
  readonly abandon: () => void
}

/** Hosts of this process without a command. */
const idle: Array<ChildProcess> = []

/**
 * Runs a command of the command line in a process that has run others before. It is the same program, with a working directory,
 * an environment and pipes of its own; but Node does not load and compile it for each command, which is most of the work of one.
 */
export const runHosted = (command: Omit<HostedCommand, "mark">): Hosted => {
  const host = idle.pop() ?? startHost()
  const mark = `\u0000${randomUUID()}\u0000`
  const output = { stdout: "", stderr: "" }
  let hasEnded = false
  const ended = new Promise<Awaited<Hosted["ended"]>>((resolve) => {
    let end: HostedEnd | undefined
    const settle = (): void => {
      if (end === undefined || !output.stdout.endsWith(mark) || !output.stderr.endsWith(mark)) return
      finish(end.code)
      if (end.isLast) host.kill("SIGKILL")
      else idle.push(host)
    }
    const finish = (code: number | null): void => {
      hasEnded = true
      host.removeAllListeners("message").removeAllListeners("close")
      for (const name of ["stdout", "stderr"] as const) host[name]!.removeAllListeners("data")
      resolve({ code, stdout: output.stdout.replace(mark, ""), stderr: output.stderr.replace(mark, "") })
    }
    for (const name of ["stdout", "stderr"] as const) {
      host[name]!.on("data", (text: string) => {
        output[name] += text
        settle()
      })
    }
    host.on("message", (message) => {
      end = message as HostedEnd
      settle()
    })
    host.on("close", finish)
    host.send({ ...command, mark } satisfies HostedCommand)
  })
  return { ended, stderr: () => output.stderr, abandon: () => void (hasEnded || host.kill("SIGKILL")) }
}

const startHost = (): ChildProcess => {
  const host = spawn(process.execPath, [bundles.hostedCli.file], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache },
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })
  for (const name of ["stdout", "stderr"] as const) host[name]!.setEncoding("utf8")
  host.on("error", (cause) => {
    throw cause
  })
  return host
}
