import { type ChildProcess, execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { access, constants } from "node:fs/promises"
import { connect } from "node:net"
import { delimiter, join } from "node:path"
import { promisify } from "node:util"

// Programs of the machine that a server is made of. Each ends with this process.

/** How long one of the steps may take. */
const longestStep = 30_000

type Environment = Readonly<Record<string, string | undefined>>

/** Whether every one of some programs is installed. */
export const areInstalled = async (programs: ReadonlyArray<string>): Promise<boolean> =>
  (await Promise.all(programs.map(isInstalled))).every(Boolean)

const isInstalled = async (program: string): Promise<boolean> => {
  const found = (process.env.PATH ?? "").split(delimiter).map((directory) =>
    access(join(directory, program), constants.X_OK).then(
      () => true,
      () => false
    )
  )
  return (await Promise.all(found)).includes(true)
}

/** Runs a program to its end. What it is told stays out of the error: a key may be in it. */
export const runProgram = async (environment: Environment, program: string, ...args: ReadonlyArray<string>) => {
  try {
    return await promisify(execFile)(program, args, {
      env: environment,
      timeout: longestStep,
      killSignal: "SIGKILL"
    })
  } catch (error) {
    const { code, signal } = error as { readonly code?: unknown; readonly signal?: unknown }
    throw new Error(`${program} ended with ${signal ?? code}`)
  }
}

/** Starts a program that serves until it is killed. */
export const startDaemon = (
  environment: Environment,
  program: string,
  ...args: ReadonlyArray<string>
): ChildProcess => {
  const child = spawn(program, args, { env: environment, stdio: "ignore" })
  // A daemon that does not start shows in what needs it.
  child.on("error", () => {})
  const atExit = () => void child.kill("SIGKILL")
  process.once("exit", atExit)
  child.once("exit", () => process.off("exit", atExit))
  return child
}

const hasEnded = ({ exitCode, pid, signalCode }: ChildProcess): boolean =>
  pid === undefined || exitCode !== null || signalCode !== null

/** Ends a daemon at once. */
export const killDaemon = async (child: ChildProcess): Promise<void> => {
  if (hasEnded(child)) return
  const exit = once(child, "exit")
  child.kill("SIGKILL")
  await exit
}

/** Waits until a daemon listens on its port. */
export const untilListening = async (port: number, child: ChildProcess): Promise<void> => {
  for (const until = Date.now() + longestStep; !(await isOpen(port)); await pause(50)) {
    if (hasEnded(child)) throw new Error("a server ended at its start")
    if (Date.now() > until) throw new Error(`a server did not listen within ${longestStep} ms`)
  }
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" })
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
