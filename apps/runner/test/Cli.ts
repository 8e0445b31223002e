import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { bundles, compileCache } from "../../../test/setup/bundles.ts"
import { runHosted } from "./CliHost.ts"

/** Secrets for tests to hand in. {@link run} fails if any of them comes out again. */
export const canary = { apiKey: "canary-api-key-5f1c9e", password: "canary-password-77b0d2" }

/** How a process is started. */
export interface Start {
  readonly cwd: string
  /** All of the environment it gets, besides `PATH` and a home directory of its own. */
  readonly env?: Readonly<Record<string, string>>
  /** The script to run, if not the command line. */
  readonly entry?: string
  /** Whether {@link run} takes a process of its own, where that is part of what is tested. */
  readonly alone?: boolean
}

/** How a process ended. */
export interface Finished {
  readonly code: number | null
  readonly stdout: string
  /** Without what a run says of its progress every few seconds. */
  readonly stderr: string
}

/** A process under way. */
export interface Running {
  readonly stdout: () => string
  readonly stderr: () => string
  readonly signal: (name: "SIGINT" | "SIGTERM" | "SIGKILL") => void
  readonly finished: Effect.Effect<Finished>
}

/** Starts the real command line in a process of its own, which ends with the scope at the latest. */
export const start = (args: ReadonlyArray<string>, options: Start) =>
  Effect.acquireRelease(
    Effect.sync(() => launch(args, options)),
    ({ process, ended }) =>
      Effect.promise(() => {
        process.kill("SIGKILL")
        return ended
      })
  ).pipe(
    Effect.map(
      ({ ended, process, stderr, stdout }): Running => ({
        stdout,
        stderr,
        signal: (name) => void process.kill(name),
        finished: Effect.promise(() => ended)
      })
    )
  )

/** Runs the real command line to its end, in a process that has run others before unless it is to be alone. */
export const run = (args: ReadonlyArray<string>, options: Start): Effect.Effect<Finished> =>
  isAlone(options)
    ? Effect.scoped(Effect.flatMap(start(args, options), ({ finished, stderr }) => finishedBy(args, finished, stderr)))
    : Effect.acquireUseRelease(
        Effect.sync(() => runHosted({ args, cwd: options.cwd, env: environmentOf(options) })),
        ({ ended, stderr }) =>
          finishedBy(
            args,
            Effect.promise(async () => {
              const { stderr, ...finished } = await ended
              return { ...finished, stderr: withoutProgress(stderr) }
            }),
            stderr
          ),
        ({ abandon }) => Effect.sync(abandon)
      )

/** The soak takes a process for each command. */
const isAlone = ({ alone, entry }: Start): boolean =>
  alone === true || entry !== undefined || process.env.SLUICE_LONG_TESTS !== undefined

const finishedBy = (args: ReadonlyArray<string>, finished: Effect.Effect<Finished>, stderr: () => string) =>
  finished.pipe(
    Effect.timeoutOrElse({
      duration: "280 seconds",
      orElse: () => Effect.die(`sluice ${args.join(" ")} did not end:\n${stderr()}`)
    }),
    Effect.tap((finished) => Effect.sync(() => assertNoCanary(finished)))
  )

/** A run of more than a few seconds says how it goes: on a busy machine every run may. */
const withoutProgress = (stderr: string): string =>
  stderr.replaceAll(/^(?:pages \d+ \/ \d+.* pages\/s.*|connecting to .* …)\n/gm, "")

/** The result a command printed as JSON; fails with what it said instead. */
export const runJson = Effect.fnUntraced(function* <A>(args: ReadonlyArray<string>, options: Start) {
  const { code, stderr, stdout } = yield* run(args, options)
  assert.strictEqual(code, 0, stderr)
  assert.match(stdout, /^[^\n]+\n$/)
  const value: A = JSON.parse(stdout)
  return value
})

/** An empty working directory, removed with the scope. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-cli-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Every file below a directory, sorted. */
export const filesIn = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort()

/** Asserts that no file below a directory holds a {@link canary}. */
export const assertNoCanaryIn = (path: string): void => {
  for (const file of filesIn(path)) {
    const bytes = readFileSync(join(path, file))
    for (const secret of Object.values(canary)) assert.isFalse(bytes.includes(secret), `${file} holds ${secret}`)
  }
}

/** Asserts that a command was refused: its exit code, nothing on standard output, and just these lines beside it. */
export const assertRefused = (
  finished: Finished,
  code: number,
  ...sentences: readonly [string | RegExp, ...Array<string | RegExp>]
): void => {
  assert.strictEqual(finished.stdout, "")
  const lines = finished.stderr.split("\n")
  assert.strictEqual(lines.pop(), "")
  assert.lengthOf(lines, sentences.length, finished.stderr)
  for (const [index, sentence] of sentences.entries()) {
    if (typeof sentence === "string") assert.strictEqual(lines[index], `sluice: ${sentence}`)
    else assert.match(lines[index]!, sentence)
  }
  assert.strictEqual(finished.code, code)
}

const assertNoCanary = ({ stderr, stdout }: Finished): void => {
  for (const secret of Object.values(canary)) assert.notInclude(stdout + stderr, secret)
  // What is written is scrubbed last of all. Nothing should ever have to be.
  assert.notInclude(stdout + stderr, "<redacted>")
}

interface Launched {
  readonly process: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  readonly ended: Promise<Finished>
}

const environmentOf = ({ cwd, env }: Start): Readonly<Record<string, string | undefined>> => ({
  PATH: process.env.PATH,
  HOME: cwd,
  NODE_COMPILE_CACHE: compileCache,
  ...env
})

const launch = (args: ReadonlyArray<string>, options: Start): Launched => {
  const { cwd, entry = bundles.sluice.file } = options
  const child = spawn(process.execPath, ["--", entry, ...args], {
    cwd,
    env: environmentOf(options),
    stdio: ["ignore", "pipe", "pipe"]
  })
  const output = { stdout: "", stderr: "" }
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text
    })
  }
  const ended = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, ...output, stderr: withoutProgress(output.stderr) }))
  })
  return { process: child, stdout: () => output.stdout, stderr: () => output.stderr, ended }
}
