// Usage: pnpm test:mutants [WORDS OF A MUTANT'S NAME]. Fails if a mutant survives its test, or its test fails without it.
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Mutant, mutants } from "./mutants.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const clone = mkdtempSync(join(tmpdir(), "sluice-mutants-"))
/** The longest one run of a test may take. */
const timeoutMs = 10 * 60_000

const say = (line: string) => process.stdout.write(`${line}\n`)

const passes = ({ named, test }: Mutant): boolean => {
  const { status, stdout } = spawnSync("npx", ["--yes", "pnpm@12", "exec", "vitest", "run", test, "-t", named], {
    cwd: clone,
    encoding: "utf8",
    env: { ...process.env, SLUICE_MUTANTS: "1" },
    timeout: timeoutMs
  })
  if (/No test files found|Tests +\d+ skipped \(/.test(stdout)) throw new Error(`no test of ${test} is named "${named}"`)
  return status === 0
}

/** Answers what is wrong, if anything is. */
const judge = (mutant: Mutant): string | undefined => {
  const path = join(clone, mutant.file)
  const source = readFileSync(path, "utf8")
  if (!passes(mutant)) return "its test fails without it"
  writeFileSync(
    path,
    source.replace(mutant.find, () => mutant.replace)
  )
  try {
    return passes(mutant) ? "it survives" : undefined
  } finally {
    writeFileSync(path, source)
  }
}

try {
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
