import { Effect, type Scope } from "effect"
import type { ObjectStore } from "./ObjectStore.ts"
import type { S3Place } from "./S3SinkConfig.ts"
import type { StoreError } from "./StoreError.ts"

/** Opens a bucket. AWS's client is loaded with the first of them: who has none does not wait for it. */
export const openS3Store = (config: S3Place): Effect.Effect<ObjectStore, StoreError, Scope.Scope> =>
  Effect.flatMap(
    Effect.promise(() => import("./S3Store.ts")),
    ({ connectS3Store }) => connectS3Store(config)
  )
