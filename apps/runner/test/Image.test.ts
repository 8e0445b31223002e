import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { basename, delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import workspace from "../../../package.json" with { type: "json" }
import { directory } from "./Cli.ts"

const root = fileURLToPath(new URL("../../../", import.meta.url))
const read = (path: string) => readFileSync(join(root, path), "utf8")
const linesOf = (app: string) => read(`${app}/Dockerfile`).replaceAll("\\\n", " ").split("\n")
const of = (app: string, name: string) =>
  linesOf(app)
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1))

/** What is copied into an image from the root of the repository, and where to. */
const copied = (app: string) =>
  of(app, "COPY")
    .filter((rest) => !rest.startsWith("--from"))
    .flatMap((rest) => {
      const paths = rest.split(" ")
      const into = paths.pop() ?? ""
      return paths.map((from) => ({ from, to: into === "./" ? from : into }))
    })

/** A workspace package and those it depends on. */
const closureOf = (path: string, seen = new Set<string>()): ReadonlySet<string> => {
  seen.add(path)
  const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(read(`${path}/package.json`))
  for (const [name, version] of Object.entries(dependencies)) {
    if (!version.startsWith("workspace:")) continue
    const folder = name.replace("@sluice/", "")
    const inner = existsSync(join(root, "packages", folder)) ? `packages/${folder}` : `apps/${folder}`
    if (!seen.has(inner)) closureOf(inner, seen)
  }
  return seen
}

describe("an image", () => {
  it.each(["apps/runner", "apps/scraper"])(
    "of %s copies each package that it installs, and runs the pinned Node",
    (app) => {
      const from = copied(app).map((each) => each.from)
      for (const path of from) assert.isTrue(existsSync(join(root, path)), path)
      assert.includeMembers(from, [...closureOf(app)])
      assert.include(read(`${app}/Dockerfile`), `ARG NODE_VERSION=${workspace.devDependencies.node}\n`)
      assert.include(of(app, "RUN")[0], ` ${workspace.packageManager} `)
    }
  )

  it("of the runner keeps state in a volume, is no root, and has a health check", () => {
    const app = "apps/runner"
    assert.deepStrictEqual(
      ["WORKDIR", "VOLUME", "USER", "ENTRYPOINT"].map((name) => of(app, name).at(-1)),
      ["/data", "/data", "node", '["sluice"]']
    )
    assert.match(of(app, "HEALTHCHECK")[0]!, / CMD \["sluice", "doctor"\]$/)
  })

  const isShort = process.env.SLUICE_LONG_TESTS === undefined
  // Without an engine to build it with: this does in a folder what the image does in its layers.
  it.live.skipIf(isShort)("of the runner installs from what it copies, and is healthy (skipped outside the soak)", () =>
    Effect.gen(function* () {
      const app = yield* directory
      for (const { from, to } of copied("apps/runner")) {
        mkdirSync(dirname(join(app, to)), { recursive: true })
        cpSync(join(root, from), join(app, to), {
          recursive: true,
          filter: (path) => !["node_modules", "test", "dist", ".turbo"].includes(basename(path))
        })
      }
      const [install = ""] = of("apps/runner", "RUN")
      const installed = spawnSync(install, { cwd: app, shell: true, encoding: "utf8" })
      assert.strictEqual(installed.status, 0, installed.stdout + installed.stderr)
      const bin = join(app, "bin")
      mkdirSync(bin)
      symlinkSync(join(app, "apps/runner/src/main.ts"), join(bin, "sluice"))
      const data = join(app, "data")
      mkdirSync(data)
      const env = { PATH: [dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter), HOME: data }
      const healthy = spawnSync(join(bin, "sluice"), ["doctor"], { cwd: data, env, encoding: "utf8" })
      assert.strictEqual(healthy.status, 0, healthy.stdout + healthy.stderr)
    })
  )
})
