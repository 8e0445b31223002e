import type { Sink } from "@sluice/core"
import { Effect } from "effect"
import { behaviourOf } from "./LakeOptions.ts"
import { lakeConnection } from "./LakeSession.ts"
import { openS3Store } from "./openS3Store.ts"
import { type S3SinkConfig, type S3SinkOptions, withS3Defaults } from "./S3SinkConfig.ts"
import { toSinkError } from "./StoreError.ts"

/**
 * Lands pages, links, page metadata and token summaries as objects of a bucket. Readers see a run by its manifest, which one
 * conditional write publishes. Throws a `SchemaError` on options that make no sense.
 */
export const sink = (options: S3SinkOptions): Sink => fromConfig(withS3Defaults(options))

/** The sink of settings that have been decoded. */
export const fromConfig = (config: S3SinkConfig): Sink => ({
  kind: "s3",
  name: config.name,
  behaviour: behaviourOf(config),
  connect: openS3Store(config).pipe(
    Effect.mapError(toSinkError(config.name, "connect")),
    Effect.map((store) => lakeConnection(store, config)),
    Effect.withSpan("S3Sink.connect")
  )
})
