import { Effect, type Scope } from "effect"
import type { ObjectStore } from "./ObjectStore.ts"
import type { S3Place } from "./S3SinkConfig.ts"
import type { StoreError } from "./StoreError.ts"

/** Opens a bucket to write to it, once it is proved. AWS's client is loaded with the first of them: who has none does not wait for it. */
export const openS3Store = (config: S3Place): Effect.Effect<ObjectStore, StoreError, Scope.Scope> =>
  Effect.flatMap(loaded, ({ connectS3Store }) => connectS3Store(config))

/** Opens a bucket to read it. It is not tried, for trying writes to it, which a reader need not be able to. */
export const openS3StoreToRead = (config: S3Place): Effect.Effect<ObjectStore, never, Scope.Scope> =>
  Effect.flatMap(loaded, ({ readS3Store }) => readS3Store(config))

const loaded = Effect.promise(() => import("./S3Store.ts"))
