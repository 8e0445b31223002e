import type { MarkPlace } from "@sluice/core/sink"
import { Effect } from "effect"
import { collectGarbage as collect, type Garbage, type GarbageOptions } from "./collectGarbage.ts"
import { type DirectorySinkOptions, withDirectoryDefaults } from "./DirectorySinkConfig.ts"
import { directoryStore } from "./DirectoryStore.ts"
import type { LoaderRefused } from "./loaders/LoaderRefused.ts"
import { type LoaderOptions, loadStatements as statementsOf } from "./loaders/loadStatements.ts"
import { directoryPlace } from "./loaders/Place.ts"
import type { StoreError } from "./StoreError.ts"
import { storeMarks } from "./storeMarks.ts"

export { fromConfig, sink } from "./DirectorySink.ts"
export { directorySpool as spool, directoryVault as vault } from "./vault/vaults.ts"

/**
 * The high-water marks of pipelines in files of a directory: how far their ledgers have come, kept outside of the ledgers. Give it
 * as a place of `marks` to `Pipeline.run`. Writes are atomic. Fails with a `MarkFailed` that names the file.
 *
 * @example
 * ```ts
 * import type { RunOptions } from "@sluice/core"
 * import { Directory } from "@sluice/sink-s3"
 *
 * const options: RunOptions = { marks: { ledger: "warehouse", places: [Directory.marks("./.sluice/marks")] } }
 * ```
 */
export const marks = (path: string): MarkPlace => storeMarks(directoryStore(path), (pipeline) => `${pipeline}.json`)

/**
 * Deletes unreferenced objects of a pipeline from the place of its sink, and returns how many: see {@link Garbage}.
 *
 * A reader of a run that has been replaced loses it. `isKept` must be true for runs that may still be resumed or published: ask
 * the ledger. `olderThan` is a duration. Fails with a `StoreError`, or as `isKept` does.
 *
 * @example
 * ```ts
 * import type { Ledger } from "@sluice/core"
 * import { Directory } from "@sluice/sink-s3"
 * import { Effect } from "effect"
 *
 * const collect = (ledger: Ledger) =>
 *   Directory.collectGarbage({ path: "lake" }, {
 *     pipeline: "docs",
 *     olderThan: "7 days",
 *     isKept: (runId) => Effect.map(ledger.open({ runId }), (run) => run !== undefined)
 *   })
 * ```
 */
export const collectGarbage = <E>(
  sink: DirectorySinkOptions,
  options: GarbageOptions<E>
): Effect.Effect<Garbage, StoreError | E> => collect(directoryStore(withDirectoryDefaults(sink).path), options)

/**
 * The statements by which DuckDB, and no other engine, reads what a pipeline has published in a directory. Writes nothing. Fails
 * with a `StoreError`, or with `LoaderRefused` for another engine.
 *
 * @example
 * ```ts
 * import { Directory } from "@sluice/sink-s3"
 *
 * const statements = Directory.loadStatements({ path: "lake" }, { engine: "duckdb", pipeline: "docs" })
 * ```
 */
export const loadStatements = (
  sink: DirectorySinkOptions,
  options: LoaderOptions
): Effect.Effect<string, StoreError | LoaderRefused> => {
  const config = withDirectoryDefaults(sink)
  return Effect.flatMap(directoryPlace(config), (place) => statementsOf(directoryStore(config.path), place, options))
}
