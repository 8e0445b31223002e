import type { Vault } from "@sluice/core"
import { Effect } from "effect"
import { directoryStore } from "../DirectoryStore.ts"
import { openS3Store } from "../openS3Store.ts"
import type { S3Place } from "../S3SinkConfig.ts"
import { toSinkError } from "../StoreError.ts"
import { lakeVault } from "./lakeVault.ts"
import { type DirectoryVaultOptions, type S3VaultOptions, type SpoolOptions, withVaultDefaults } from "./VaultConfig.ts"

/** What errors call them. */
const names = { vault: "vault", spool: "spool" } as const

/** Keeps every result of the API as it came, in a bucket. Throws a `SchemaError` on options that make no sense. */
export const s3Vault = (options: S3VaultOptions): Vault => s3VaultOf(withVaultDefaults.s3(options))

/** The vault of settings that have been decoded. */
export const s3VaultOf = (config: S3Place): Vault => ({
  name: names.vault,
  maxBytes: Number.POSITIVE_INFINITY,
  connect: openS3Store(config).pipe(
    Effect.map((store) => lakeVault(store, names.vault, "for good")),
    Effect.mapError(toSinkError(names.vault, "connect"))
  )
})

/** Keeps every result of the API as it came, in files of a directory. Throws a `SchemaError` on options that make no sense. */
export const directoryVault = (options: DirectoryVaultOptions = {}): Vault => {
  const { path } = withVaultDefaults.directory(options)
  return {
    name: names.vault,
    maxBytes: Number.POSITIVE_INFINITY,
    connect: Effect.sync(() => lakeVault(directoryStore(path), names.vault, "for good"))
  }
}

/**
 * Keeps what sinks that lag have still to take, in files of a directory, until they have: for the option `spool` of a run. Throws
 * a `SchemaError` on options that make no sense.
 */
export const directorySpool = (options: SpoolOptions = {}): Vault => {
  const { max_bytes: maxBytes, path } = withVaultDefaults.spool(options)
  return {
    name: names.spool,
    maxBytes,
    connect: Effect.sync(() => lakeVault(directoryStore(path), names.spool, "until landed"))
  }
}
