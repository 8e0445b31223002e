import { execFile } from "node:child_process"
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { embedMigrations } from "../scripts/embedMigrations.ts"

const packageRoot = join(import.meta.dirname, "..")
const folder = join(packageRoot, "../../migrations")

describe("the checked-in migrations", () => {
  it.effect("are the ones this package embeds", () =>
    Effect.gen(function* () {
      const embedded = yield* Effect.promise(() =>
        readFile(join(packageRoot, "src/database/migrations.generated.ts"), "utf8")
      )
      assert.strictEqual(embedded, embedMigrations())
    })
  )

  it.effect("make what the schema says", () =>
    Effect.gen(function* () {
      const copy = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "sluice-migrations-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      yield* Effect.promise(() => cp(folder, copy, { recursive: true }))
      const kit = join(dirname(createRequire(import.meta.url).resolve("drizzle-kit")), "bin.cjs")
      const schema = join(packageRoot, "src/schema/schema.ts")
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)(process.execPath, [
          kit,
          "generate",
          "--dialect=postgresql",
          `--schema=${schema}`,
          // drizzle-kit takes no absolute path here.
          `--out=${relative(process.cwd(), copy)}`
        ])
      )
      assert.include(stdout, "No schema changes")
      assert.sameMembers(yield* Effect.promise(() => readdir(copy)), yield* Effect.promise(() => readdir(folder)))
    })
  )
})
