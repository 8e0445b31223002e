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

/** Remembers in files of a directory how far pipelines have come, outside of their ledger. */
export const marks = (path: string): MarkPlace => storeMarks(directoryStore(path), (pipeline) => `${pipeline}.json`)

/** Removes what no reader of a pipeline is shown from the place of its sink: see {@link Garbage}. */
export const collectGarbage = <E>(
  sink: DirectorySinkOptions,
  options: GarbageOptions<E>
): Effect.Effect<Garbage, StoreError | E> => collect(directoryStore(withDirectoryDefaults(sink).path), options)

/** As that of S3, for files of a directory: DuckDB alone reads them. */
export const loadStatements = (
  sink: DirectorySinkOptions,
  options: LoaderOptions
): Effect.Effect<string, StoreError | LoaderRefused> => {
  const config = withDirectoryDefaults(sink)
  return Effect.flatMap(directoryPlace(config), (place) => statementsOf(directoryStore(config.path), place, options))
}
