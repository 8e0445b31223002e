import { cpSync, globSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { serve } from "@sluice/scraper"
import { Effect, Redacted } from "effect"
import { repositoryRoot } from "../../.ci/house/SourceTree.ts"
import { canary, directory, run } from "../../apps/runner/test/Cli.ts"
import { page, servePages } from "../../apps/runner/test/Site.ts"
import { testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import workspace from "../../package.json" with { type: "json" }

interface Project {
  readonly path: string
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
}

const root = join(repositoryRoot, "examples")
const projects = globSync("*/package.json", { cwd: root })
  .sort()
  .map((path): Project => ({ path: dirname(path), ...JSON.parse(readFileSync(join(root, path), "utf8")) }))

/** The words of a command line that quotes with `"` alone. */
const words = (command: string): ReadonlyArray<string> =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "")

const expected: Readonly<Record<string, RegExp>> = {
  "nightly-postgres load": /completed/,
  "nightly-postgres runs": /nightly-docs/,
  "nightly-postgres titles": /# home/,
  "lake-and-postgres load": /completed/,
  "lake-and-postgres ddl": /read_parquet/,
  "typescript load": /^run \S+: 3 pages, 3 tokens$/m
}

describe("the example projects", () => {
  it("are all listed", () => {
    const index = readFileSync(join(root, "README.md"), "utf8")
    assert.isNotEmpty(projects)
    for (const { path } of projects) assert.include(index, `(${path}/README.md)`)
    const names = projects.flatMap(({ path, scripts }) => Object.keys(scripts).map((name) => `${path} ${name}`))
    for (const name of Object.keys(expected)) assert.include(names, name)
  })

  it("ask for the versions of Effect that the workspace has", () => {
    for (const { dependencies, path } of projects)
      for (const name of ["effect", "@effect/platform-node"] as const)
        if (dependencies[name] !== undefined)
          assert.strictEqual(dependencies[name], `^${workspace.devDependencies[name]}`, path)
  })

  for (const { path, scripts } of projects)
    it.live(`${path}: every script of its package.json runs`, () =>
      Effect.gen(function* () {
        const site = yield* servePages({ "/": page("home", "/a", "/b"), "/a": page("a", "/b"), "/b": page("b", "/") })
        const database = yield* testDatabase()
        const api = yield* serve({
          apiKeys: [Redacted.make(canary.apiKey)],
          allowPrivateTargets: true,
          hostDelayMs: 0
        })
        const cwd = yield* directory
        cpSync(join(root, path), cwd, { recursive: true })
        const given = {
          SITE_URL: `${site}/`,
          DATABASE_URL: database.url,
          SCRAPER_API_BASE_URL: api.baseUrl,
          GEONODE_SCRAPER_API_KEY: canary.apiKey
        }
        const env = { ...given, SLUICE_HOME: cwd }
        writeFileSync(
          join(cwd, ".env"),
          Object.entries(given)
            .map(([name, value]) => `${name}='${value}'\n`)
            .join("")
        )
        for (const [name, script] of Object.entries(scripts)) {
          const [program, ...args] = words(script)
          const { code, stderr, stdout } =
            program === "sluice"
              ? yield* run(args, { cwd, env })
              : yield* run([], { cwd, env, entry: join(root, path, args[0] ?? "") })
          assert.strictEqual(code, 0, `${name}: ${stderr}`)
          assert.match(stdout, expected[`${path} ${name}`] ?? /./)
        }
      })
    )
})
