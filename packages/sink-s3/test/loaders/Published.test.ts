import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Directory } from "@sluice/sink-s3"
import { sampleRecord, startRun } from "@sluice/testkit"
import { Effect } from "effect"
import { folder } from "../folder.ts"
import { filesOf, readLake } from "../readLake.ts"

describe("what is published", () => {
  it.live("is not told from a manifest that is not the one the pointer names", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const sink = Directory.sink({ path })
      const { publish, write } = yield* startRun(sink, yield* sink.connect)
      yield* write(1, [sampleRecord("https://a.example/1")])
      yield* publish
      const { runs } = yield* Effect.promise(() => readLake(filesOf(path), "suite"))
      const manifest = join(path, runs[0]!.manifest)
      const told = Directory.loadStatements({ path }, { engine: "duckdb", pipeline: "suite" })
      assert.include(yield* told, "part-0001-000001.jsonl.gz")

      const bytes = yield* Effect.promise(() => readFile(manifest, "utf8"))
      yield* Effect.promise(() => writeFile(manifest, bytes.replace("part-0001-000001", "part-0002-000001")))
      assert.include((yield* Effect.flip(told)).message, "this is not the manifest the pointer names")
      yield* Effect.promise(() => rm(manifest))
      assert.include((yield* Effect.flip(told)).message, "objects have been removed")
    })
  )
})
