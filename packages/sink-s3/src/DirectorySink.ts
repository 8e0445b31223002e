import type { Sink } from "@sluice/core"
import { Effect } from "effect"
import { type DirectorySinkConfig, type DirectorySinkOptions, withDirectoryDefaults } from "./DirectorySinkConfig.ts"
import { directoryStore } from "./DirectoryStore.ts"
import { behaviourOf } from "./LakeOptions.ts"
import { lakeConnection } from "./LakeSession.ts"

/** As the S3 sink, with files of a directory as the objects. Throws a `SchemaError` on options that make no sense. */
export const sink = (options: DirectorySinkOptions = {}): Sink => fromConfig(withDirectoryDefaults(options))

/** The sink of settings that have been decoded. */
export const fromConfig = (config: DirectorySinkConfig): Sink => ({
  kind: "directory",
  name: config.name,
  behaviour: behaviourOf(config),
  connect: Effect.sync(() => lakeConnection(directoryStore(config.path), config))
})
