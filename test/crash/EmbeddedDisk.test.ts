import { execFileSync, spawn } from "node:child_process"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { assert, describe, it } from "@effect/vitest"
import { Postgres } from "@sluice/sink-postgres"
import { Effect } from "effect"
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

// An empty database takes 39 MB: disks that are full while it is unpacked, while it is opened for the first time, while its tables
// are made, and while rows are written.
const sizes =
  process.env.SLUICE_LONG_TESTS === undefined
    ? [20, 39, 46]
    : [...Array.from({ length: 10 }, (_, at) => 1 + 4 * at), ...Array.from({ length: 30 }, (_, at) => 38 + at)]

describe.skipIf(refusal !== undefined)("an embedded database whose disk is full", () => {
  it.live(
    `of ${sizes.length} sizes: the process says so, and the next one on a larger disk finds all that was written`,
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
              const database = yield* Postgres.open({ directory })
              yield* Postgres.migrate(database)
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
