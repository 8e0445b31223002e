/**
 * Shows that somebody else's sink works with the published packages. Packs contract, core and testkit, installs them in a new
 * folder outside of the workspace, and runs `docs/examples/sqliteSink.test.ts` there. Needs built packages and the registry.
 * Usage: `pnpm check:thirdparty [NODE...]`; each NODE is a program to run the suite with, this one when absent.
 */
import { execFileSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import workspace from "../package.json" with { type: "json" }
import { repositoryRoot } from "./house/SourceTree.ts"

const [, , ...given] = process.argv
const nodes = given.length === 0 ? [process.execPath] : given
const packages = ["contract", "core", "testkit"]
const folder = mkdtempSync(join(tmpdir(), "sluice-third-party-"))

/** The pnpm that runs this script is the first in the path. */
const pnpm = (args: ReadonlyArray<string>, cwd: string) =>
  execFileSync("pnpm", args, { cwd, stdio: ["ignore", "ignore", "inherit"] })

try {
  const tarballs = packages.map((name) => {
    const tarball = join(folder, `${name}.tgz`)
    pnpm(["pack", "--out", tarball], join(repositoryRoot, "packages", name))
    return [`@sluice/${name}`, `file:${tarball}`] as const
  })
  const project = join(folder, "project")
  mkdirSync(project)
  const { effect, vitest } = workspace.devDependencies
  const manifest = {
    name: "third-party-sink",
    private: true,
    type: "module",
    dependencies: { ...Object.fromEntries(tarballs), effect },
    devDependencies: {
      "@effect/vitest": workspace.devDependencies["@effect/vitest"],
      "@types/node": workspace.devDependencies["@types/node"],
      typescript: workspace.devDependencies.typescript,
      vitest
    }
  }
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest))
  // The testkit depends on versions of core and contract that no registry has yet.
  const overrides = tarballs.map(([name, tarball]) => `  "${name}": "${tarball}"\n`).join("")
  writeFileSync(join(project, "pnpm-workspace.yaml"), `overrides:\n${overrides}strictDepBuilds: false\n`)
  const options = {
    module: "nodenext",
    target: "es2024",
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"]
  }
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...options, allowImportingTsExtensions: true }, include: ["*.ts"] })
  )
  for (const file of ["sqliteSink.ts", "sqliteSink.test.ts"]) {
    copyFileSync(join(repositoryRoot, "docs/examples", file), join(project, file))
  }
  pnpm(["install", "--prefer-offline"], project)

  const run = (node: string, args: ReadonlyArray<string>) =>
    execFileSync(node, [...args], { cwd: project, stdio: "inherit" })
  const lines = readFileSync(join(project, "sqliteSink.ts"), "utf8").split("\n").length - 1
  process.stdout.write(`the sink has ${lines} lines\n`)
  run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."])
  for (const node of nodes) {
    run(node, ["--version"])
    run(node, ["node_modules/vitest/vitest.mjs", "run"])
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
