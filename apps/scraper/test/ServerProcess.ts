import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { bundles } from "../../../test/setup/bundles.ts"
import type { ScraperConfig } from "../src/index.ts"
import { keys } from "./TestScraper.ts"

/** A server as a process of its own. */
export interface ServerProcess {
  readonly baseUrl: string
  readonly child: ChildProcess
  /** All that it has printed. */
  readonly output: () => string
  /** Sends a signal and waits for the end; answers the exit code, or the signal that ended it. */
  readonly end: (signal: NodeJS.Signals) => Effect.Effect<number | NodeJS.Signals | null>
  readonly isRunning: () => boolean
}

const start = Effect.fnUntraced(function* (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, args, {
        env: { ...process.env, SCRAPER_API_KEYS: keys.join(), ...env },
        stdio: ["ignore", "pipe", "pipe", "ipc"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  let output = ""
  // However long a busy machine takes to start it: the test has a limit of its own.
  const baseUrl = yield* Effect.callback<string, string>((resume) => {
    const read = (chunk: Buffer) => {
      output += chunk
      const listening = /Listening on (\S+)\n/.exec(output)?.[1]
      if (listening !== undefined) resume(Effect.succeed(listening))
    }
    child.stdout?.on("data", read)
    child.stderr?.on("data", read)
    child.once("exit", (code) => resume(Effect.fail(`ended with ${code}: ${output}`)))
  })
  const isRunning = () => child.exitCode === null && child.signalCode === null
  const ended = Effect.callback<number | NodeJS.Signals | null>((resume) => {
    const tell = () => resume(Effect.succeed(child.exitCode ?? child.signalCode))
    if (isRunning()) child.once("exit", tell)
    else tell()
  })
  const server: ServerProcess = {
    baseUrl,
    child,
    output: () => output,
    isRunning,
    end: (signal) =>
      Effect.andThen(
        Effect.sync(() => child.kill(signal)),
        ended
      )
  }
  return server
})

/** The command, on a free port, with loopback allowed. */
export const commandProcess = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  start([bundles.scraper.file, "--port", "0", "--allow-private-targets", "--host-delay-ms", "0", ...args], env)

const program = fileURLToPath(new URL("serverProgram.ts", import.meta.url))

/** A configuration that goes to another process as JSON. */
export type ProgramConfig = Omit<ScraperConfig, "apiKeys">

/** A server with any configuration, which says of itself what it holds when it is asked. */
export const programProcess = (config: ProgramConfig, env: Readonly<Record<string, string>> = {}) =>
  start(["--expose-gc", program, JSON.stringify(config)], env)

/** What a process holds: bytes of live JavaScript, of the process, and open files. */
export interface Held {
  readonly heap: number
  readonly rss: number
  readonly files: number
}

/** Asks a process of {@link programProcess} what it holds after a collection. */
export const held = ({ child }: ServerProcess) =>
  Effect.callback<Held>((resume) => {
    child.once("message", (message) => {
      const { heap, rss } = message as Omit<Held, "files">
      resume(Effect.succeed({ heap, rss, files: readdirSync(`/proc/${child.pid}/fd`).length }))
    })
    child.send("held")
  })
