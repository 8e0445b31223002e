import { type ChildProcess, spawn } from "node:child_process"
import { Receipt } from "@sluice/core"
import { Deferred, type Duration, Effect, Schema, type Scope } from "effect"
import { type Bundle, bundles, compileCache } from "../setup/bundles.ts"

/** How a process ended, and what it said. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The receipt a process ended with: the last line of its output; what comes before are logs. */
export const receiptOf = ({ stdout }: End) =>
  Effect.orDie(Schema.decodeEffect(Schema.fromJsonString(Receipt))(stdout.trim().split("\n").at(-1) ?? ""))

/** A process at work. */
export interface Life {
  readonly kill: (signal: NodeJS.Signals) => void
  /** Waits, within bounds, until it has said so or has ended. */
  readonly says: (words: string) => Effect.Effect<void>
  /** Its end, which is waited for within bounds. */
  readonly end: Effect.Effect<End>
}

/** What a process is told: its environment is nothing else. */
export type Environment = Readonly<Record<string, string>>

/** One that lives longer has hung, unless it was given more to do. */
const longestLife = "60 seconds"
const keptOutput = 16_000

/** Starts a process that carries out a run. It is gone when the scope ends. */
export const begin = (
  environment: Environment,
  longest: Duration.Input = longestLife,
  program: Bundle = bundles.crashChild
): Effect.Effect<Life, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<End>()
    const process = yield* Effect.acquireRelease(
      Effect.sync(() => start(program, environment, (end) => Deferred.doneUnsafe(ended, Effect.succeed(end)))),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    )
    return {
      kill: (signal) => void process.kill(signal),
      says: (words) =>
        Effect.raceFirst(Deferred.await(ended), heard(process, words)).pipe(Effect.timeout(longest), Effect.orDie),
      end: Deferred.await(ended).pipe(Effect.timeout(longest), Effect.orDie)
    }
  })

/** One life from its start to its end. */
export const live = (environment: Environment, longest?: Duration.Input, program?: Bundle): Effect.Effect<End> =>
  Effect.scoped(Effect.flatMap(begin(environment, longest, program), ({ end }) => end))

const heard = ({ stdout }: ChildProcess, words: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const listen = (text: string) => text.includes(words) && resume(Effect.void)
    stdout?.on("data", listen)
    return Effect.sync(() => void stdout?.off("data", listen))
  })

const start = ({ file }: Bundle, environment: Environment, onEnd: (end: End) => void): ChildProcess => {
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache, ...environment },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const said = { stdout: "", stderr: "" }
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] = `${said[name]}${text}`.slice(-keptOutput)
    })
  }
  child.on("close", (code, signal) => onEnd({ code, signal, ...said }))
  return child
}
