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

/**
 * Deletes unreferenced objects of a pipeline from the place of its sink, and returns how many: see {@link Garbage}.
 *
 * A reader of a run that has been replaced loses it. `isKept` must be true for runs that may still be resumed or published: ask
 * the ledger. `olderThan` is a duration. Fails with a `StoreError`, or as `isKept` does.
 *
 * @example
 * ```ts
 * import type { Ledger } from "@sluice/core"
 * import { S3 } from "@sluice/sink-s3"
 * import { Effect } from "effect"
 *
 * const collect = (ledger: Ledger) =>
 *   S3.collectGarbage({ bucket: "lake" }, {
 *     pipeline: "docs",
 *     olderThan: "7 days",
 *     isKept: (runId) => Effect.map(ledger.open({ runId }), (run) => run !== undefined)
 *   })
 * ```
 */
export const collectGarbage = <E>(
  sink: S3SinkOptions,
  options: GarbageOptions<E>
): Effect.Effect<Garbage, StoreError | E> =>
  Effect.scoped(Effect.flatMap(openS3Store(withS3Defaults(sink)), (store) => collect(store, options)))

/**
 * The statements by which an engine reads or loads what a pipeline has published: every run of a sink that appends, the last
 * of one that replaces.
 *
 * Reads the pointer and the manifests alone, and writes nothing. No credential is in the text. A later run is not in it. Fails with
 * a `StoreError`, or with `LoaderRefused` where the engine cannot read what is there.
 *
 * @example
 * ```ts
 * import { S3 } from "@sluice/sink-s3"
 *
 * const statements = S3.loadStatements({ bucket: "lake" }, { engine: "snowflake", pipeline: "docs", datasets: ["pages"] })
 * ```
 */
export const loadStatements = (
  sink: S3SinkOptions,
  options: LoaderOptions
): Effect.Effect<string, StoreError | LoaderRefused> =>
  reading(sink, (store, place) => statementsOf(store, place, options))

/**
 * The manifest which a COPY of those statements for Redshift reads, as JSON. `name` is a dataset, or says as well how its
 * parts are written, as `pages.jsonl.gz`: it has to where they are not all written alike.
 *
 * Fails with a `StoreError`, or with `LoaderRefused` where `name` fits no part or several kinds of part.
 *
 * @example
 * ```ts
 * import { S3 } from "@sluice/sink-s3"
 *
 * const manifest = S3.redshiftManifest({ bucket: "lake" }, { pipeline: "docs", name: "pages" })
 * ```
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
