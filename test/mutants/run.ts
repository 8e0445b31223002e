// Usage: pnpm test:mutants [WORDS OF A MUTANT'S NAME]. Fails if a mutant survives its test, or its test fails without it.
import { execFileSync, spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Mutant, mutants } from "./mutants.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const clone = mkdtempSync(join(tmpdir(), "sluice-mutants-"))
/** The longest one run of a test may take. */
const timeoutMs = 10 * 60_000
/** How much of an unexpected failure is printed, in characters. */
const longestOutput = 4000

const say = (line: string) => process.stdout.write(`${line}\n`)

interface Report {
  readonly numFailedTests: number
  readonly numPassedTests: number
}

interface Result {
  readonly passed: boolean
  readonly output: string
}

/** Runs a mutant's test and reads the report: an exit code alone does not say whether a test ran. */
const runTest = ({ named, test }: Mutant): Result => {
  const report = join(clone, "reports/vitest.json")
  rmSync(report, { force: true })
  const { stderr, stdout } = spawnSync("npx", ["--yes", "pnpm@12", "exec", "vitest", "run", test, "-t", named], {
    cwd: clone,
    encoding: "utf8",
    timeout: timeoutMs
  })
  const output = `${stdout}${stderr}`.slice(-longestOutput)
  if (!existsSync(report)) return { passed: false, output }
  const { numFailedTests, numPassedTests } = JSON.parse(readFileSync(report, "utf8")) as Report
  return { passed: numFailedTests === 0 && numPassedTests > 0, output }
}

/** Answers what is wrong, if anything is. */
const judge = (mutant: Mutant): string | undefined => {
  const path = join(clone, mutant.file)
  const source = readFileSync(path, "utf8")
  const unchanged = runTest(mutant)
  if (!unchanged.passed) return `its test fails without it\n${unchanged.output}`
  writeFileSync(
    path,
    source.replace(mutant.find, () => mutant.replace)
  )
  try {
    const mutated = runTest(mutant)
    return mutated.passed ? `it survives\n${mutated.output}` : undefined
  } finally {
    writeFileSync(path, source)
  }
}

try {
  // The embedded server runs as a user of its own, who has to reach its executables.
  chmodSync(clone, 0o755)
  execFileSync("git", ["clone", "--quiet", "--shared", root, clone])
  execFileSync("npx", ["--yes", "pnpm@12", "install", "--frozen-lockfile", "--prefer-offline"], { cwd: clone })
  const wanted = mutants.filter(({ name }) => name.includes(process.argv[2] ?? ""))
  for (const mutant of wanted) {
    const wrong = judge(mutant)
    if (wrong !== undefined) process.exitCode = 1
    say(`${wrong === undefined ? "killed  " : "SURVIVED"}  ${mutant.name} (${mutant.test})${wrong ? `: ${wrong}` : ""}`)
  }
} finally {
  rmSync(clone, { recursive: true, force: true })
}
