import { Directory, type DirectorySinkOptions } from "@sluice/sink-s3"
import { sinkSuite } from "@sluice/testkit"
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
