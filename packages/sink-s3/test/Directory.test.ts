import { assert, it } from "@effect/vitest"
import { Directory, type DirectorySinkOptions } from "@sluice/sink-s3"
import { loadedOf, sampleRecord, sinkSuite, startRun } from "@sluice/testkit"
import { Effect } from "effect"
import { folder } from "./folder.ts"
import { filesOf, landed } from "./readLake.ts"

const under = (options: DirectorySinkOptions) =>
  Effect.map(folder, (path) => ({
    sink: Directory.sink({ path, ...options }),
    read: landed(filesOf(path)),
    keeps: options.mode === "replace" ? ("the last run" as const) : ("every delivery" as const)
  }))

sinkSuite("Directory, append, JSON Lines (gzip)", under({}))
sinkSuite("Directory, replace, JSON Lines (zstd)", under({ mode: "replace", compression: "zstd" }))
sinkSuite("Directory, append, Parquet (zstd)", under({ format: "parquet" }))
sinkSuite("Directory, replace, Parquet (snappy)", under({ mode: "replace", format: "parquet", compression: "snappy" }))

// A segment holds no page twice; should one, the first is kept.
it.effect("keeps the first of two records of one page in a segment", () =>
  Effect.gen(function* () {
    const { read, sink } = yield* under({})
    const { publish, write } = yield* startRun(sink, yield* sink.connect)
    const record = sampleRecord("https://a.example/twice")
    const { rows } = yield* write(0, [record, { ...record, markdown: "again" }])
    yield* publish
    assert.strictEqual(rows.pages, 1)
    assert.deepStrictEqual((yield* read).pages, [loadedOf(record)])
  })
)
