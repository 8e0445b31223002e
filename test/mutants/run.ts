// Usage: pnpm test:mutants [WORDS OF A MUTANT'S NAME]. Fails if a mutant survives its test, its test fails without it, or runs into
// its limit where the entry does not say so. Writes the table to reports/mutants.md.
import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Mutant, mutants } from "./mutants.ts"
import { runTest, type TestRun } from "./runTest.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const clone = mkdtempSync(join(tmpdir(), "sluice-mutants-"))

/** Without the pinned Node: npm looks for what is global beside the Node that runs it, where there may be nothing. */
const pathOfMachine = (process.env.PATH ?? "")
  .split(delimiter)
  .filter((folder) => !folder.startsWith(root))
  .join(delimiter)

const say = (line: string) => process.stdout.write(`${line}\n`)

interface Verdict {
  readonly mutant: Mutant
  /** What is wrong, if anything is. */
  readonly wrong: string | undefined
  readonly unchanged: TestRun
  readonly mutated?: TestRun
}

/** Runs a mutant's test without the mutant and with it. */
const judge = async (mutant: Mutant): Promise<Verdict> => {
  const unchanged = await runTest(clone, mutant)
  if (unchanged.end !== "passed") {
    const wrong = `without the mutant its test ${unchanged.end}\n${unchanged.output}`
    return { mutant, wrong, unchanged }
  }
  const path = join(clone, mutant.file)
  const source = readFileSync(path, "utf8")
  writeFileSync(
    path,
    source.replace(mutant.find, () => mutant.replace)
  )
  try {
    const mutated = await runTest(clone, mutant)
    const expected = mutant.noticedBy === "limit" ? "ran into its limit" : "failed"
    const wrong = mutated.end === expected ? undefined : `with the mutant its test ${mutated.end}\n${mutated.output}`
    return { mutant, wrong, unchanged, mutated }
  } finally {
    writeFileSync(path, source)
  }
}

const lineOf = ({ mutant, mutated, unchanged, wrong }: Verdict): string => {
  const seconds = [unchanged, mutated].map((run) => (run === undefined ? "-" : run.seconds.toFixed(0)))
  const verdict = wrong === undefined ? "killed" : `NOT KILLED: ${wrong.split("\n")[0]}`
  return `| ${[mutant.name, `${mutant.test}: ${mutant.named}`, ...seconds, verdict].join(" | ")} |`
}

const tableOf = (verdicts: ReadonlyArray<Verdict>): string =>
  [
    "| mutant | test | seconds without it | seconds with it | verdict |",
    "|---|---|---|---|---|",
    ...verdicts.map(lineOf),
    ""
  ].join("\n")

try {
  // The embedded server runs as a user of its own, who has to reach its executables.
  chmodSync(clone, 0o755)
  execFileSync("git", ["clone", "--quiet", "--shared", root, clone])
  execFileSync("npx", ["--yes", "pnpm@12", "install", "--frozen-lockfile", "--prefer-offline"], {
    cwd: clone,
    env: { ...process.env, PATH: pathOfMachine }
  })
  const wanted = mutants.filter(({ name }) => name.includes(process.argv[2] ?? ""))
  const verdicts: Array<Verdict> = []
  mkdirSync(join(root, "reports"), { recursive: true })
  for (const mutant of wanted) {
    const verdict = await judge(mutant)
    verdicts.push(verdict)
    if (verdict.wrong !== undefined) process.exitCode = 1
    say(`${lineOf(verdict)}${verdict.wrong === undefined ? "" : `\n${verdict.wrong}`}`)
    writeFileSync(join(root, "reports/mutants.md"), tableOf(verdicts))
  }
  if (wanted.length === 0) {
    say("no mutant has such a name")
    process.exitCode = 2
  }
} finally {
  rmSync(clone, { recursive: true, force: true })
}
