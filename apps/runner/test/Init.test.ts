import { readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { makeSite, Simulator } from "@sluice/testkit"
import { S3Server } from "@sluice/testkit/s3"
import { Console, Effect, Option, Queue, Redacted, Terminal } from "effect"
import { parse } from "yaml"
import { runCli } from "../src/cli.ts"
import { Environment } from "../src/Environment.ts"
import { schemaFile, templateNames } from "../src/templates.ts"
import { assertRefused, directory, filesIn, run, runJson } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"

const beside = [".env.example", ".gitignore", schemaFile]
const files = templateNames.filter((template) => template !== "ts")

describe("init", { concurrent: true }, () => {
  it.live("writes each template as YAML and as JSON, valid and of one meaning, with a schema for editors", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      for (const template of files) {
        const hashes: Array<string> = []
        for (const ending of ["yaml", "json"]) {
          const file = join(cwd, `${template}.${ending}`)
          const made = yield* inProcess(["init", file, "--template", template, "--url", "https://own.example/a?b=1"])
          assert.strictEqual(made.code, 0, made.stderr)
          const valid = yield* inProcess(["validate", file, "--json"])
          assert.strictEqual(valid.code, 0, valid.stderr)
          hashes.push(JSON.parse(valid.stdout).config_hash)
        }
        assert.strictEqual(hashes[0], hashes[1])
        const text = readFileSync(join(cwd, `${template}.yaml`), "utf8")
        assert.match(text, /^# yaml-language-server: \$schema=\.\/sluice\.schema\.json\n/)
        assert.strictEqual(JSON.parse(readFileSync(join(cwd, `${template}.json`), "utf8")).$schema, `./${schemaFile}`)
        assert.include(JSON.stringify(parse(text).source), "https://own.example/a?b=1")
      }
      const schema = yield* inProcess(["schema"])
      assert.strictEqual(readFileSync(join(cwd, schemaFile), "utf8"), schema.stdout)
      assert.strictEqual(readFileSync(join(cwd, ".gitignore"), "utf8"), ".sluice/\n.env\n")
    })
  )

  it.live("keeps what is there, and says what a .gitignore lacks", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      writeFileSync(join(cwd, ".gitignore"), "node_modules\n/.sluice\n")
      writeFileSync(join(cwd, ".env.example"), "MINE=\n")
      const file = join(cwd, "own.yaml")
      const made = yield* inProcess(["init", file])
      assert.deepStrictEqual(made, {
        code: 0,
        stdout: `wrote ${file}; run it with: sluice run ${file}\n`,
        stderr: `sluice: ${cwd}/.gitignore is kept as it is: add .env to it\nsluice: also wrote ${cwd}/${schemaFile}\n`
      })
      assert.strictEqual(readFileSync(join(cwd, ".env.example"), "utf8"), "MINE=\n")
      writeFileSync(file, "mine")
      assertRefused(
        yield* inProcess(["init", file]),
        2,
        `${file} is there already: name another file, or remove it first`
      )
      assert.strictEqual(readFileSync(file, "utf8"), "mine")
      assertRefused(
        yield* inProcess(["init", join(cwd, "x.yaml"), "--template", "ts"]),
        2,
        `${cwd}/x.yaml: a pipeline in TypeScript is a file that ends in .ts`
      )
      assertRefused(
        yield* inProcess(["init", join(cwd, "x.ts"), "--template", "map"]),
        2,
        `${cwd}/x.ts: the template map is no program: name a file that ends in .yaml or .json`
      )
      assert.deepStrictEqual(filesIn(cwd), [...beside, "own.yaml"].sort())
    })
  )

  it.live("asks on a terminal where nothing is given, and writes what was answered", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      const keys = [
        ...["down", "enter"].map((name) => ({ name, text: "" })),
        { name: "enter", text: "" },
        { name: "enter", text: "" }
      ]
      const asked: Array<string> = []
      const queue = yield* Queue.make<Terminal.UserInput>()
      for (const { name, text } of keys) {
        yield* Queue.offer(queue, {
          input: text === "" ? Option.none() : Option.some(text),
          key: { name, ctrl: false, meta: false, shift: false }
        })
      }
      const real = yield* Terminal.Terminal.pipe(Effect.provide(NodeServices.layer))
      const terminal = Terminal.make({
        ...real,
        readInput: Effect.succeed(queue),
        display: (text) => Effect.sync(() => void asked.push(text))
      })
      const answered = yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          const before = process.cwd()
          process.chdir(cwd)
          return before
        }),
        () =>
          runCli(["init"]).pipe(
            Effect.provideService(Terminal.Terminal, terminal),
            Effect.provideService(Console.Console, { ...console, log: () => {}, error: () => {} }),
            Effect.provideService(Environment, {
              variables: {},
              isTerminal: true,
              isInteractive: true,
              columns: () => 80,
              writeError: () => undefined
            }),
            Effect.provide(NodeServices.layer)
          ),
        (before) => Effect.sync(() => process.chdir(before))
      )
      assert.strictEqual(answered, 0)
      for (const question of ["What do you begin with?", "Name of the pipeline", "Where to begin"]) {
        assert.include(asked.join(""), question)
      }
      const made = parse(readFileSync(join(cwd, "sluice.yaml"), "utf8"))
      assert.deepStrictEqual(Object.keys(made.source), ["batch"])
      assert.strictEqual(made.name, "quotes")
    })
  )
})

describe("a template", () => {
  it.live(
    "runs as it was written",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const simulator = yield* Simulator.make({ site: makeSite({ pages: 8 }) })
        const bucket = yield* S3Server.make()
        yield* bucket.createBucket("my-bucket")
        const env = {
          SCRAPER_API_BASE_URL: simulator.baseUrl,
          GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey),
          AWS_REGION: bucket.region,
          AWS_ACCESS_KEY_ID: bucket.accessKeyId,
          AWS_SECRET_ACCESS_KEY: Redacted.value(bucket.secretAccessKey)
        }
        for (const template of templateNames) {
          const file = template === "ts" ? "made.ts" : `${template}.yaml`
          const options = ["--template", template, "--name", template, "--url", "https://site.test/"]
          assert.strictEqual((yield* run(["init", file, ...options], { cwd, env })).code, 0)
        }
        // The one line that only its owner can know.
        const s3 = join(cwd, "s3.yaml")
        const endpoint = `endpoint: ${bucket.endpoint}`
        writeFileSync(s3, readFileSync(s3, "utf8").replace(/# endpoint: .*/, endpoint))
        for (const template of files) {
          const receipt = yield* runJson<Receipt>(["run", `${template}.yaml`, "--json"], { cwd, env })
          assert.deepInclude(receipt, { pipeline: template, status: "completed" })
          assert.isAbove(receipt.pages.delivered, 0)
        }
        symlinkSync(fileURLToPath(new URL("../../../node_modules", import.meta.url)), join(cwd, "node_modules"))
        const program = yield* run([], { cwd, env, entry: join(cwd, "made.ts") })
        assert.strictEqual(program.code, 0, program.stderr)
        assert.deepInclude(JSON.parse(program.stdout), { pipeline: "ts", status: "completed" })
      }),
    120_000
  )
})
