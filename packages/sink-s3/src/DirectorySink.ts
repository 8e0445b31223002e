import type { Sink } from "@sluice/core"
import { Effect } from "effect"
import { checkDirectory, tryDirectory } from "./checkDirectory.ts"
import { type DirectorySinkConfig, type DirectorySinkOptions, withDirectoryDefaults } from "./DirectorySinkConfig.ts"
import { directoryStore } from "./DirectoryStore.ts"
import { behaviourOf } from "./LakeOptions.ts"
import { lakeConnection } from "./LakeSession.ts"
import { lakePlan } from "./lakePlan.ts"
import { toSinkError } from "./StoreError.ts"

/**
 * The S3 sink with files of a directory as the objects: same layout, same manifests. The directory must be on a local file system.
 * Throws a `SchemaError` on invalid options; writing fails with a `SinkError`.
 *
 * @example
 * ```ts
 * import { Directory } from "@sluice/sink-s3"
 *
 * const lake = Directory.sink({ path: "lake", format: "parquet" })
 * ```
 */
export const sink = (options: DirectorySinkOptions = {}): Sink => fromConfig(withDirectoryDefaults(options))

/**
 * The sink of settings that have been decoded, as a program has them that reads pipeline files. Does not check them again: use
 * `sink` for options that you write.
 *
 * @example
 * ```ts
 * import { Directory, DirectorySinkConfig } from "@sluice/sink-s3"
 * import { Schema } from "effect"
 *
 * const lake = Directory.fromConfig(Schema.decodeUnknownSync(DirectorySinkConfig)({ path: "lake" }))
 * ```
 */
export const fromConfig = (config: DirectorySinkConfig): Sink => ({
  kind: "directory",
  name: config.name,
  behaviour: behaviourOf(config),
  plan: (pipeline) =>
    Effect.gen(function* () {
      const write = yield* Effect.promise(() => checkDirectory(config.path))
      return yield* lakePlan(directoryStore(config.path), config, pipeline, write)
    }).pipe(Effect.mapError(toSinkError(config.name, "plan"))),
  tryWrites: tryDirectory(config.path).pipe(Effect.mapError(toSinkError(config.name, "try writes"))),
  connect: Effect.sync(() => lakeConnection(directoryStore(config.path), config))
})
