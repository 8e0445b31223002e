import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { type Mutant, usualLimit } from "./mutants.ts"

/** What came of one run of a mutant's test. */
export interface TestRun {
  readonly end: "passed" | "failed" | "ran into its limit" | "did not run"
  readonly seconds: number
  /** The last it said. */
  readonly output: string
}

/** The samples of a test are the same in each run. */
const seed = "1"
/** How much of the output is kept, in characters. */
const longestOutput = 4000
/** How long a run that is told to end may take to stop its servers, in milliseconds. */
const graceMs = 10_000

interface Report {
  readonly numFailedTests: number
  readonly numPassedTests: number
}

/** Runs the test of a mutant in a clone and reads the report: an exit code alone does not say whether a test ran. */
export const runTest = async (clone: string, { limit = usualLimit, named, test }: Mutant): Promise<TestRun> => {
  const report = join(clone, "reports/vitest.json")
  rmSync(report, { force: true })
  const startedAt = performance.now()
  const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", "run", test, "-t", named], {
    cwd: clone,
    env: { ...process.env, SLUICE_SAMPLE_SEED: seed },
    // A group of its own: the limit ends its workers and servers too.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = `${output}${text}`.slice(-longestOutput)
    })
  }
  let isOver = false
  const signalAll = (signal: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, signal)
    } catch {
      // All of the group have ended.
    }
  }
  const timers = [
    setTimeout(() => {
      isOver = true
      signalAll("SIGTERM")
    }, limit * 1000),
    setTimeout(() => signalAll("SIGKILL"), limit * 1000 + graceMs)
  ]
  await once(child, "close")
  for (const timer of timers) clearTimeout(timer)
  const seconds = (performance.now() - startedAt) / 1000
  if (isOver) return { end: "ran into its limit", seconds, output }
  if (!existsSync(report)) return { end: "did not run", seconds, output }
  const { numFailedTests, numPassedTests } = JSON.parse(readFileSync(report, "utf8")) as Report
  const end = numFailedTests > 0 ? "failed" : numPassedTests > 0 ? "passed" : "did not run"
  return { end, seconds, output }
}
