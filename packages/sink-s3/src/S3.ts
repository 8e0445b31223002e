import { Effect } from "effect"
import { collectGarbage as collect, type Garbage, type GarbageOptions } from "./collectGarbage.ts"
import type { LoaderRefused } from "./loaders/LoaderRefused.ts"
import { type LoaderOptions, manifestOf, loadStatements as statementsOf } from "./loaders/loadStatements.ts"
import { type BucketPlace, bucketPlace } from "./loaders/Place.ts"
import type { ObjectStore } from "./ObjectStore.ts"
import { openS3Store, openS3StoreToRead } from "./openS3Store.ts"
import { type S3SinkOptions, withS3Defaults } from "./S3SinkConfig.ts"
import type { StoreError } from "./StoreError.ts"

export { fromConfig, sink } from "./S3Sink.ts"
export { s3Vault as vault, s3VaultOf as vaultFromConfig } from "./vault/vaults.ts"

/** Removes what no reader of a pipeline is shown from the place of its sink: see {@link Garbage}. */
export const collectGarbage = <E>(
  sink: S3SinkOptions,
  options: GarbageOptions<E>
): Effect.Effect<Garbage, StoreError | E> =>
  Effect.scoped(Effect.flatMap(openS3Store(withS3Defaults(sink)), (store) => collect(store, options)))

/**
 * The statements by which an engine reads or loads what a pipeline has published: every run of a sink that appends, the last
 * of one that replaces. Asks for the pointer and the manifests alone, and writes nothing. No credential is in the text.
 */
export const loadStatements = (
  sink: S3SinkOptions,
  options: LoaderOptions
): Effect.Effect<string, StoreError | LoaderRefused> =>
  reading(sink, (store, place) => statementsOf(store, place, options))

/**
 * The manifest which a COPY of those statements for Redshift reads, as JSON. `name` is a dataset, or says as well how its
 * parts are written, as `pages.jsonl.gz`: it has to where they are not all written alike.
 */
export const redshiftManifest = (
  sink: S3SinkOptions,
  options: { readonly pipeline: string; readonly name: string }
): Effect.Effect<string, StoreError | LoaderRefused> =>
  reading(sink, (store, place) => manifestOf(store, place, options))

const reading = <E>(
  sink: S3SinkOptions,
  use: (store: ObjectStore, place: BucketPlace) => Effect.Effect<string, StoreError | E>
): Effect.Effect<string, StoreError | LoaderRefused | E> =>
  Effect.gen(function* () {
    const config = withS3Defaults(sink)
    const place = yield* bucketPlace(config)
    return yield* use(yield* openS3StoreToRead(config), place)
  }).pipe(Effect.scoped)
