import { exec } from "node:child_process"
import { readFileSync } from "node:fs"
import { delimiter } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import workspace from "../package.json" with { type: "json" }

const root = fileURLToPath(new URL("..", import.meta.url))
const env = { ...process.env, PATH: `${root}node_modules/.bin${delimiter}${process.env.PATH}`, NO_COLOR: "1" }

/** Runs a script of the root's package.json; fails with what it printed. */
const script = async (name: keyof typeof workspace.scripts) => {
  try {
    await promisify(exec)(workspace.scripts[name], { cwd: root, env, maxBuffer: 64 * 1024 * 1024 })
  } catch (error) {
    const { stderr, stdout } = error as { readonly stderr: string; readonly stdout: string }
    assert.fail(`${name}\n${stdout}${stderr}`)
  }
}

describe("the gate", () => {
  it("runs on the pinned Node", () => {
    assert.strictEqual(process.versions.node, workspace.devDependencies.node)
    // Else a fresh clone warns of engines.
    assert.include(readFileSync(`${root}pnpm-workspace.yaml`, "utf8"), `\nnodeVersion: ${process.versions.node}\n`)
  })

  it("formats and lints", () => script("check:lint"))
  it("finds nothing wrong with the Effect code", () => script("check:effect"))
  it("type-checks", () => script("check:types"))
  it("finds nothing unused", () => script("check:unused"))
  it("finds no upward arrow between rooms and no import cycle", () => script("check:rooms"))
  // A minute's work of its own.
  if (process.env.SLUICE_LONG_TESTS !== undefined) {
    it("builds packages that publint and attw pass", () => script("check:packages"), 300_000)
    it("exports what the API reports say", () => script("check:api"), 300_000)
    it("installs outside of the repository, and runs there", () => script("check:install"), 600_000)
  }
})
