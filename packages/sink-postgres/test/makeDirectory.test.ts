import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { sampleSeed } from "@sluice/testkit"
import { Effect, Random } from "effect"
import { Postgres } from "../src/index.ts"
import { temporaryDirectory } from "./databases.ts"

const maker = fileURLToPath(new URL("./dyingMaker.ts", import.meta.url))

/** Makes a database, or dies of it; answers what the process said. */
const make = (directory: string, ...death: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const child = spawn(process.execPath, [maker, directory, ...death], { stdio: ["ignore", "pipe", "inherit"] })
    return (await text(child.stdout)).trim()
  })

/** The calls a creation makes, about how often, and where in each it may die. */
const calls = [
  ["mkdirSync", 26, ["before", "after"]],
  ["writeFileSync", 972, ["before", "half", "after"]],
  ["readFile", 972, ["before"]],
  ["open", 980, ["before"]],
  ["rename", 26, ["before", "after"]],
  ["rm", 3, ["before", "after"]]
] as const

const randomDeath = Effect.gen(function* () {
  const [name, often, moments] = calls[yield* Random.nextIntBetween(0, calls.length - 1)]!
  const at = yield* Random.nextIntBetween(1, often)
  const moment = moments[yield* Random.nextIntBetween(0, moments.length - 1)]!
  return [name, String(at), moment] as const
})

/** What is in a directory: a hash for each file. */
const contents = (directory: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .map((entry): [string, string] => {
        const path = join(entry.parentPath, entry.name)
        return [path.slice(directory.length), entry.isDirectory() ? "directory" : hashOf(readFileSync(path))]
      })
      .sort(([a], [b]) => (a < b ? -1 : 1))
  )

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

const kills = process.env.SLUICE_LONG_TESTS === undefined ? 10 : 40
const seed = process.env.SLUICE_CRASH_ROUND ?? String(sampleSeed)

describe("the creation of an embedded database", () => {
  it.effect(
    "is all or nothing where its process is killed, again and again: what has its mark is whole",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryDirectory
        const reference = join(root, "reference")
        mkdirSync(reference)
        assert.strictEqual(yield* make(reference), "done")
        const whole = contents(reference)
        assert.isAbove(whole.size, 900)
        const said: Array<string> = []
        let made = 0
        let half = 0
        const next = () => join(root, `data-${made}`)
        // A database that is whole is not made again: the next deaths are those of another.
        for (let kill = 0; kill < kills; kill++) {
          mkdirSync(next(), { recursive: true })
          said.push(yield* make(next(), ...(yield* randomDeath)))
          if (!existsSync(join(next(), "PG_VERSION"))) half += 1
          else {
            const left = new Map([...contents(next())].filter(([name]) => !name.startsWith("/.unpacking")))
            assert.deepStrictEqual(left, whole, said.at(-1))
            made += 1
          }
        }
        yield* Effect.sync(() => process.stdout.write(`creation, seed ${seed}:\n  ${said.join("\n  ")}\n`))
        assert.isAbove(half, kills / 3, "hardly any was killed half way")
        const database = yield* Postgres.open({ directory: next() })
        assert.isNotEmpty(yield* Postgres.migrate(database))
      }).pipe(Random.withSeed(seed)),
    600_000
  )
})
