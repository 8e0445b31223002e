import { spawn, spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import workspace from "../../../package.json" with { type: "json" }
import { keys, stateDirectory } from "./TestScraper.ts"

const root = fileURLToPath(new URL("../../../", import.meta.url))
const file = readFileSync(join(root, "apps/scraper/Dockerfile"), "utf8")

/** The instructions, each with the stage it is in. */
const instructions = (() => {
  let stage = ""
  return file
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", rest = ""] = /^(\w+) (.*)$/.exec(line) ?? []
      if (name === "FROM") stage = / AS (\w+)$/.exec(rest)?.[1] ?? ""
      return { stage, name, rest }
    })
})()

const of = (stage: string, name: string) =>
  instructions.filter((each) => each.stage === stage && each.name === name).map(({ rest }) => rest)

/** What is copied into the image, from the root of the repository. */
const copied = of("build", "COPY").flatMap((rest) => {
  const paths = rest.split(" ")
  const into = paths.pop() ?? ""
  return paths.map((from) => ({ from, to: into === "./" ? from : into }))
})

const environment = Object.fromEntries(
  of("slim", "ENV").flatMap((rest) => rest.split(" ").map((each) => each.split("=", 2) as [string, string]))
)
const command = (line: string): ReadonlyArray<string> => JSON.parse(line.slice(line.indexOf("[")))

describe("the container image", () => {
  it("copies what is there, runs the pinned Node and pnpm, and not as root", () => {
    for (const { from } of copied) assert.isTrue(existsSync(join(root, from)), from)
    assert.include(file, `ARG NODE_VERSION=${workspace.devDependencies.node}\n`)
    const [install = ""] = of("build", "RUN")
    assert.include(install, ` ${workspace.packageManager} `)
    const [entry = ""] = of("slim", "ENTRYPOINT")
    assert.isTrue(existsSync(join(root, command(entry)[1]?.slice("/app/".length) ?? "")))
    for (const stage of ["slim", "chromium"]) assert.strictEqual(of(stage, "USER").at(-1), "node")
  })

  const isShort = process.env.SLUICE_LONG_TESTS === undefined
  // There is no engine to build it with: this does in a folder what the image does in its layers.
  it.live.skipIf(isShort)("installs from what it copies, starts, and is found healthy (skipped outside the soak)", () =>
    Effect.gen(function* () {
      const app = yield* stateDirectory
      for (const { from, to } of copied) {
        mkdirSync(dirname(join(app, to)), { recursive: true })
        cpSync(join(root, from), join(app, to), {
          recursive: true,
          filter: (path) => !["node_modules", "test", "dist", ".turbo"].includes(basename(path))
        })
      }
      const [install = ""] = of("build", "RUN")
      const installed = spawnSync(install, { cwd: app, shell: true, encoding: "utf8" })
      assert.strictEqual(installed.status, 0, installed.stdout + installed.stderr)
      const env = {
        ...process.env,
        ...environment,
        PORT: "18931",
        HOST: "127.0.0.1",
        SCRAPER_STATE_DIR: join(app, "state"),
        SCRAPER_API_KEYS: keys[0]
      }
      const [entry = ""] = of("slim", "ENTRYPOINT")
      const main = command(entry)[1]?.replace("/app", app) ?? ""
      const server = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"] })),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      yield* Effect.callback<void>((resume) => void server.stdout.once("data", () => resume(Effect.void)))
      const [check = ""] = of("slim", "HEALTHCHECK")
      const healthy = () => spawnSync(process.execPath, command(check).slice(1), { env }).status
      assert.strictEqual(healthy(), 0)
      server.kill("SIGTERM")
      yield* Effect.callback<void>((resume) => void server.once("exit", () => resume(Effect.void)))
      assert.strictEqual(server.exitCode, 0)
      assert.strictEqual(healthy(), 1)
    })
  )
})
