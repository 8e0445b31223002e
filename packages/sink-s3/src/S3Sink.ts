import type { Sink } from "@sluice/core"
import { Effect } from "effect"
import { behaviourOf } from "./LakeOptions.ts"
import { lakeConnection } from "./LakeSession.ts"
import { lakePlan } from "./lakePlan.ts"
import { openS3Store, openS3StoreToRead } from "./openS3Store.ts"
import { type S3SinkConfig, type S3SinkOptions, withS3Defaults } from "./S3SinkConfig.ts"
import { toSinkError } from "./StoreError.ts"

/**
 * Loads pages, links, page metadata and token summaries as objects of a bucket. A run becomes visible atomically, when one
 * conditional write swaps the pointer to its manifest.
 *
 * The store must have conditional writes; connecting checks it. `format` is `jsonl` when absent, `mode` is `append`. Throws a
 * `SchemaError` on invalid options; connecting and writing fail with a `SinkError`.
 *
 * @example
 * ```ts
 * import { S3 } from "@sluice/sink-s3"
 *
 * const lake = S3.sink({ bucket: "lake", prefix: "crawls/", format: "parquet", mode: "replace" })
 * ```
 */
export const sink = (options: S3SinkOptions): Sink => fromConfig(withS3Defaults(options))

/**
 * The sink of settings that have been decoded, as a program has them that reads pipeline files. Does not check them again: use
 * `sink` for options that you write.
 *
 * @example
 * ```ts
 * import { S3, S3SinkConfig } from "@sluice/sink-s3"
 * import { Schema } from "effect"
 *
 * const lake = S3.fromConfig(Schema.decodeUnknownSync(S3SinkConfig)({ bucket: "lake" }))
 * ```
 */
export const fromConfig = (config: S3SinkConfig): Sink => ({
  kind: "s3",
  name: config.name,
  behaviour: behaviourOf(config),
  plan: (pipeline) =>
    openS3StoreToRead(config).pipe(
      Effect.flatMap((store) => lakePlan(store, config, pipeline, { what: "write objects", result: "unknown" })),
      Effect.mapError(toSinkError(config.name, "plan"))
    ),
  tryWrites: openS3Store(config).pipe(
    Effect.as("put, read, list and deleted objects, with conditions"),
    Effect.mapError(toSinkError(config.name, "try writes")),
    Effect.scoped
  ),
  connect: openS3Store(config).pipe(
    Effect.mapError(toSinkError(config.name, "connect")),
    Effect.map((store) => lakeConnection(store, config)),
    Effect.withSpan("S3Sink.connect")
  )
})
