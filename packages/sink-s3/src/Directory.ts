import type { Effect } from "effect"
import { collectGarbage as collect, type Garbage, type GarbageOptions } from "./collectGarbage.ts"
import { type DirectorySinkOptions, withDirectoryDefaults } from "./DirectorySinkConfig.ts"
import { directoryStore } from "./DirectoryStore.ts"
import type { StoreError } from "./StoreError.ts"

export { sink } from "./DirectorySink.ts"
export { directorySpool as spool, directoryVault as vault } from "./vault/vaults.ts"

/** Removes what no reader of a pipeline is shown from the place of its sink: see {@link Garbage}. */
export const collectGarbage = <E>(
  sink: DirectorySinkOptions,
  options: GarbageOptions<E>
): Effect.Effect<Garbage, StoreError | E> => collect(directoryStore(withDirectoryDefaults(sink).path), options)
