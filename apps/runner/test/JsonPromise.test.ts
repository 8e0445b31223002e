import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { directory } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"
import { closedPort } from "./Site.ts"

const text = (sinks: string) => `name: quotes\nsource:\n  crawl: { url: https://quotes.example/ }\nsinks:\n${sinks}`

describe("run --json, where there is no receipt,", () => {
  it.live("prints one object with status, exit_code and reason, which are those of the sentence", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      const port = yield* closedPort
      const file = join(cwd, "sluice.yaml")
      const key = { GEONODE_SCRAPER_API_KEY: "key" }
      const dead = text(`  - postgres: { url: "postgres://me:pw@127.0.0.1:${port}/x" }\n`)
      const noKey = text("  - directory: {}\n")
      const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>, string, string, number]> = [
        [dead, ["run", file, "--json"], "failed", "cannot be reached", 1],
        [dead, ["resume", "0198c2d3-0000-7000-8000-000000000000", file, "--json"], "failed", "cannot be reached", 1],
        [dead, ["cancel", "0198c2d3-0000-7000-8000-000000000000", file, "--json"], "failed", "cannot be reached", 1],
        [dead, ["run", join(cwd, "absent.yaml"), "--json=true"], "invalid", "there is no file", 2],
        [text("  - postgres: { mode: swap }\n  - lake: {}\n"), ["run", "--json", file], "invalid", "mode: must be", 2],
        [dead, ["run", file, "--json", "--frsh"], "invalid", "Unrecognized flag", 2],
        [noKey, ["run", file, "--json", "--log-level", "error"], "invalid", "holds a blank, a line break", 2],
        [noKey, ["--log-level", "all", "run", file, "--json"], "invalid", "a base URL is set and no API key", 2]
      ]
      for (const [config, args, status, says, code] of cases) {
        writeFileSync(file, config)
        const env = args.includes("all")
          ? { SCRAPER_API_BASE_URL: "http://127.0.0.1:1" }
          : args.includes("error")
            ? { GEONODE_SCRAPER_API_KEY: "key\n" }
            : key
        const finished = yield* inProcess(args, env)
        assert.strictEqual(finished.code, code, finished.stderr)
        assert.match(finished.stdout, /^\{[^\n]*\}\n$/, args.join(" "))
        const said = JSON.parse(finished.stdout)
        assert.hasAllKeys(said, ["status", "exit_code", "reason"])
        assert.deepInclude(said, { status, exit_code: code })
        assert.include(said.reason, says)
        for (const sentence of said.reason.split("\n")) assert.include(finished.stderr, `sluice: ${sentence}\n`)
      }
    })
  )

  it.live("prints none where it was not promised", () =>
    Effect.gen(function* () {
      for (const args of [
        ["run", "absent.yaml"],
        ["validate", "absent.yaml", "--json"],
        ["run", "--help", "--json"]
      ]) {
        const { stdout } = yield* inProcess(args)
        assert.notMatch(stdout, /^\{/, args.join(" "))
      }
    })
  )
})
