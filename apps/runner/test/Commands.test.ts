import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import { Effect } from "effect"
import { parse } from "yaml"
import { assertRefused, canary, directory, filesIn, run, runJson } from "./Cli.ts"

const examples = fileURLToPath(new URL("../../../docs/examples", import.meta.url))
const exampleFiles = filesIn(examples).filter((file) => /^[^.].*\.(ya?ml|json)$/.test(file))

describe("a command's start", () => {
  it.live(
    "keeps the compiled program in the user's own cache, and nowhere if told so",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const env = { NODE_COMPILE_CACHE: "" }
        const without = yield* run(["--version"], {
          cwd,
          alone: true,
          env: { ...env, NODE_DISABLE_COMPILE_CACHE: "1" }
        })
        assert.deepStrictEqual(filesIn(cwd), [])
        const first = yield* run(["--version"], { cwd, alone: true, env })
        const kept = filesIn(cwd)
        assert.isNotEmpty(kept)
        for (const file of kept) assert.match(file, /^(\.cache|Library\/Caches)\/sluice\/compiled\//)
        const second = yield* run(["--version"], { cwd, alone: true, env })
        assert.deepStrictEqual([without.code, first, second], [0, without, without])
        // No directory can be made below a file.
        const file = join(cwd, "file")
        writeFileSync(file, "")
        const nowhere = yield* run(["--version"], {
          cwd,
          alone: true,
          env: { ...env, HOME: file, XDG_CACHE_HOME: file }
        })
        assert.deepStrictEqual(nowhere, without)
      }),
    60_000
  )
})

describe("init", () => {
  it.live(
    "writes a pipeline that is valid, and never over a file",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const written = yield* run(["init"], { cwd, alone: true })
        assert.deepStrictEqual(written, {
          code: 0,
          stdout: "wrote sluice.yaml; run it with: sluice run sluice.yaml\n",
          stderr: "sluice: also wrote sluice.schema.json, .env.example, .gitignore\n"
        })
        const valid = yield* runJson<Record<string, string>>(["validate", "--json"], { cwd, alone: true })
        assert.deepInclude(valid, { file: "sluice.yaml", pipeline: "quotes" })
        assert.match(valid.config_hash!, /^[0-9a-f]{64}$/)

        writeFileSync(join(cwd, "sluice.yaml"), "mine")
        assertRefused(
          yield* run(["init"], { cwd, alone: true }),
          2,
          "sluice.yaml is there already: name another file, or remove it first"
        )
        assert.strictEqual(readFileSync(join(cwd, "sluice.yaml"), "utf8"), "mine")

        const named = yield* run(["init", "own.yaml", "--name", "own", "--url", "https://own.example/a?b=1"], { cwd })
        assert.strictEqual(named.code, 0)
        const own = parse(readFileSync(join(cwd, "own.yaml"), "utf8"))
        assert.strictEqual(own.name, "own")
        assert.strictEqual(own.source.crawl.url, "https://own.example/a?b=1")
        assert.deepStrictEqual(filesIn(cwd), [
          ".env.example",
          ".gitignore",
          "own.yaml",
          "sluice.schema.json",
          "sluice.yaml"
        ])
      }),
    120_000
  )

  it.live(
    "refuses a name, an address or a place that will not do",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const [name, url, place] = yield* Effect.forEach(
          [
            ["init", "--name", "a b"],
            ["init", "--url", "quotes"],
            ["init", "no/such/folder.yaml"]
          ],
          (args) => run(args, { cwd })
        )
        assertRefused(name!, 2, /^sluice: Invalid value for flag --name: .*; see: sluice init --help$/)
        assertRefused(url!, 2, "--url must be an absolute http or https URL")
        assertRefused(place!, 1, "no/such/folder.yaml cannot be written: check the directory and its permissions")
        assert.deepStrictEqual(filesIn(cwd), [])
      }),
    120_000
  )
})

describe("validate", () => {
  it.live(
    "tells the hash, which neither machine settings nor addresses change, and connects to nothing",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const pipeline = "name: quotes\nsource:\n  crawl: { url: https://quotes.example/ }\nsinks:\n"
        writeFileSync(join(cwd, "sluice.yaml"), `${pipeline}  - postgres: {}\n`)
        writeFileSync(
          join(cwd, "other.yaml"),
          `${pipeline}  - postgres: { url: $DATABASE_URL }\napi: { base_url: "http://127.0.0.1:1", key: $KEY }\n`
        )
        const env = { DATABASE_URL: `postgres://me:${canary.password}@127.0.0.1:1/x`, KEY: canary.apiKey }
        const { config_hash: hash } = yield* runJson<Record<string, string>>(["validate", "--json"], { cwd })
        const other = yield* runJson<Record<string, string>>(["validate", "other.yaml", "--json"], { cwd, env })
        assert.strictEqual(other.config_hash, hash)
        const text = yield* run(["validate", "--log-level", "all"], { cwd })
        assert.strictEqual(text.stdout, `sluice.yaml: pipeline "quotes" is valid (config ${hash})\n`)
        assert.deepStrictEqual(filesIn(cwd), ["other.yaml", "sluice.yaml"])
      }),
    120_000
  )
})

describe("schema", () => {
  it.live(
    "is a JSON Schema that takes the examples and the file of init, and refuses what validate refuses",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const { code, stdout } = yield* run(["schema"], { cwd, alone: true })
        assert.strictEqual(code, 0)
        const accepts = new Ajv2020({ strict: true, allErrors: true }).compile(JSON.parse(stdout))
        assert.isAbove(exampleFiles.length, 0)
        const files = exampleFiles.map((file) => join(examples, file))
        yield* run(["init", "made.yaml"], { cwd })
        for (const file of [...files, join(cwd, "made.yaml")]) {
          assert.isTrue(accepts(parse(readFileSync(file, "utf8"))), `${file}: ${JSON.stringify(accepts.errors)}`)
        }
        const good = { name: "a", source: { crawl: { url: "https://a.example/" } }, sinks: [{ postgres: {} }] }
        assert.isTrue(accepts(good), JSON.stringify(accepts.errors))
        for (const bad of [
          { ...good, name: 1 },
          { ...good, source: undefined },
          { ...good, source: { crawl: { url: "https://a.example/", depth: "2" } } },
          { ...good, source: { crawl: { url: "https://a.example/", formats: ["pdf"] } } },
          { ...good, sinks: [] },
          { ...good, sinks: [{ postgres: { mode: "swap" } }] },
          { ...good, sinks: [{ postgres: { mode: "history", close_after: 0 } }] }
        ]) {
          assert.isFalse(accepts(bad), JSON.stringify(bad))
        }
      }),
    120_000
  )
})
