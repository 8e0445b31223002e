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

/**
 * Keeps every result of the API as it came, in a bucket, for good: `Pipeline.replay` loads sinks from it without a token.
 *
 * It grows with every run and holds page content; nothing removes it but you. Throws a `SchemaError` on invalid options; its
 * operations fail with a `SinkError`.
 *
 * @example
 * ```ts
 * import { S3 } from "@sluice/sink-s3"
 *
 * const vault = S3.vault({ bucket: "raw", prefix: "vault/" })
 * ```
 */
export const s3Vault = (options: S3VaultOptions): Vault => s3VaultOf(withVaultDefaults.s3(options))

/**
 * The vault of settings that have been decoded, as a program has them that reads pipeline files. Does not check them again: use
 * `vault` for options that you write.
 *
 * @example
 * ```ts
 * import { S3, S3VaultConfig } from "@sluice/sink-s3"
 * import { Schema } from "effect"
 *
 * const vault = S3.vaultFromConfig(Schema.decodeUnknownSync(S3VaultConfig)({ bucket: "raw" }))
 * ```
 */
export const s3VaultOf = (config: S3Place): Vault => ({
  name: names.vault,
  maxBytes: Number.POSITIVE_INFINITY,
  connect: openS3Store(config).pipe(
    Effect.map((store) => lakeVault(store, names.vault, "for good")),
    Effect.mapError(toSinkError(names.vault, "connect"))
  )
})

/**
 * Keeps every result of the API as it came, in files of a directory, for good. The directory must be on a local file system. It
 * grows with every run and holds page content. Throws a `SchemaError` on invalid options; its operations fail with a `SinkError`.
 *
 * @example
 * ```ts
 * import { Directory } from "@sluice/sink-s3"
 *
 * const vault = Directory.vault({ path: "vault" })
 * ```
 */
export const directoryVault = (options: DirectoryVaultOptions = {}): Vault => {
  const { path } = withVaultDefaults.directory(options)
  return {
    name: names.vault,
    maxBytes: Number.POSITIVE_INFINITY,
    connect: Effect.sync(() => lakeVault(directoryStore(path), names.vault, "for good"))
  }
}

/**
 * Keeps in files of a directory what sinks that lag have still to take, until they have: for the option `spool` of a run.
 *
 * `max_bytes` is in bytes of pages before compression, 10 GiB when absent; past it the source is read no further. Throws a
 * `SchemaError` on invalid options; its operations fail with a `SinkError`.
 *
 * @example
 * ```ts
 * import type { RunOptions } from "@sluice/core"
 * import { Directory } from "@sluice/sink-s3"
 *
 * const options: RunOptions = { spool: Directory.spool({ path: "spool", max_bytes: 1024 ** 3 }) }
 * ```
 */
export const directorySpool = (options: SpoolOptions = {}): Vault => {
  const { max_bytes: maxBytes, path } = withVaultDefaults.spool(options)
  return {
    name: names.spool,
    maxBytes,
    connect: Effect.sync(() => lakeVault(directoryStore(path), names.spool, "until landed"))
  }
}
