import { execFileSync, spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { assert, describe, it } from "@effect/vitest"
import { Postgres } from "@sluice/sink-postgres"
import { dailySample, makeRng, roll, sampleSeed } from "@sluice/testkit"
import { Effect } from "effect"
import { directory as emptyDirectory, run } from "../../apps/runner/test/Cli.ts"
import { bundles } from "../setup/bundles.ts"
import { mountRefusal, smallDisk } from "./smallDisk.ts"

const refusal = mountRefusal()
if (refusal !== undefined) process.stderr.write(`skipped, as no small disk can be mounted: ${refusal}\n`)

const writer = bundles.holdDirectory.file

/** Makes an embedded database and writes rows into it until there is no room; answers what it said. */
const writeUntilFull = (directory: string) =>
  Effect.promise(async () => {
    const child = spawn(process.execPath, [writer, directory, "rows"], { stdio: ["ignore", "pipe", "inherit"] })
    return (await text(child.stdout)).trim().split("\n")
  })

const range = (first: number, last: number, step = 1): ReadonlyArray<number> =>
  Array.from({ length: 1 + Math.floor((last - first) / step) }, (_, at) => first + step * at)

/**
 * Megabytes of disks that are full while an empty database is unpacked, which takes 39 MB, or is opened for the first time; while
 * rows are written; and while the log is, whose next file takes 16 MB. The suite takes one of each by the run's seed, the soak all 40.
 */
const phases = [[...range(1, 37, 4), ...range(38, 43)], range(44, 47), range(48, 67)]
const next = makeRng(sampleSeed, "sizes of disks")
const sizes =
  process.env.SLUICE_LONG_TESTS === undefined
    ? dailySample(phases, phases.length).map((phase) => phase[roll(next, phase.length)]!)
    : phases.flat()

const pipeline = (directory: string) =>
  JSON.stringify({
    name: "docs",
    source: { crawl: { url: "https://site.test/" } },
    sinks: [{ postgres: { directory } }]
  })

describe.skipIf(refusal !== undefined)("an embedded database whose disk is full", () => {
  it.live(
    `of ${sizes.length} sizes (seed ${sampleSeed}): the process says so, and the next command on a larger disk finds all that was written`,
    () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        for (const megabytes of sizes) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const disk = yield* smallDisk(megabytes)
              const directory = join(disk.directory, "data")
              const said = yield* writeUntilFull(directory)
              const end = said.at(-1) ?? ""
              assert.match(end, /^refused: .*disk.* is full/, `${megabytes} MB`)
              const claimed = Number(said.findLast((line) => line.startsWith("rows "))?.slice(5) ?? 0)
              execFileSync("mount", ["-o", "remount,size=400m", disk.directory])
              const cwd = yield* emptyDirectory
              writeFileSync(join(cwd, "sluice.yaml"), pipeline(directory))
              const { code, stderr } = yield* run(["migrate"], { cwd })
              assert.strictEqual(code, 0, `${megabytes} MB: ${stderr}`)
              const database = yield* Postgres.open({ directory })
              if (said.includes("open")) {
                const [row] = yield* database.query(
                  "SELECT count(*)::int AS n, coalesce(max(n), 0) AS last FROM written"
                )
                assert.isAtLeast(Number(row?.n), claimed, `${megabytes} MB`)
                assert.strictEqual(row?.last, row?.n, `${megabytes} MB`)
              }
              seen.push(`${megabytes} MB: ${said.includes("open") ? `${claimed} rows` : end.slice(9, 60)}`)
            })
          )
        }
        yield* Effect.sync(() => process.stdout.write(`disks that filled: ${seen.join("; ")}\n`))
      }),
    1_800_000
  )
})
