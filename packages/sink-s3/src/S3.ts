import { Effect } from "effect"
import { collectGarbage as collect, type Garbage, type GarbageOptions } from "./collectGarbage.ts"
import { type S3SinkOptions, withS3Defaults } from "./S3SinkConfig.ts"
import { openS3Store } from "./S3Store.ts"
import type { StoreError } from "./StoreError.ts"

export { sink } from "./S3Sink.ts"
export { s3Vault as vault } from "./vault/vaults.ts"

/** Removes what no reader of a pipeline is shown from the place of its sink: see {@link Garbage}. */
export const collectGarbage = <E>(
  sink: S3SinkOptions,
  options: GarbageOptions<E>
): Effect.Effect<Garbage, StoreError | E> =>
  Effect.scoped(Effect.flatMap(openS3Store(withS3Defaults(sink)), (store) => collect(store, options)))
