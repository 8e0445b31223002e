import { isLocalPath } from "@sluice/core/sink"
import { Effect, Schema } from "effect"
import { placeFields, plainSecret, type S3Written, wholeCredentials } from "../S3SinkConfig.ts"

/** A vault in a bucket, as a pipeline file holds its settings. */
export const S3VaultConfig = Schema.Struct(placeFields)
  .check(wholeCredentials)
  .annotate({ identifier: "S3VaultConfig" })

/** The settings of a vault in a bucket as code writes them: the bucket alone is required. */
export interface S3VaultOptions extends S3Written<typeof S3VaultConfig.Encoded> {}

/** A vault in a directory, as a pipeline file holds its settings. */
export const DirectoryVaultConfig = Schema.Struct({
  /** The directory, on a local file system; made if absent. */
  path: Schema.NonEmptyString.check(isLocalPath).pipe(Schema.withDecodingDefaultKey(Effect.succeed("./.sluice/vault")))
}).annotate({ identifier: "DirectoryVaultConfig" })

/** The settings of a vault in a directory as code writes them: each is optional. */
export type DirectoryVaultOptions = Partial<typeof DirectoryVaultConfig.Encoded>

/** Where segments wait for sinks that lag, as a pipeline file holds its settings. */
export const SpoolConfig = Schema.Struct({
  /** The directory, on a local file system; made if absent. */
  path: Schema.NonEmptyString.check(isLocalPath).pipe(Schema.withDecodingDefaultKey(Effect.succeed("./.sluice/spool"))),
  /** About how many bytes of pages, before compression, may wait; past it the source is read no further. */
  max_bytes: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1024 * 1024)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(10 * 1024 * 1024 * 1024))
  )
}).annotate({ identifier: "SpoolConfig" })

/** The settings of a spool as code writes them: each is optional. */
export type SpoolOptions = Partial<typeof SpoolConfig.Encoded>

const decodeS3 = Schema.decodeUnknownSync(S3VaultConfig)

/** Fill in the defaults. Throw a `SchemaError` on options that make no sense. */
export const withVaultDefaults = {
  s3: (options: S3VaultOptions) => decodeS3(plainSecret(options)),
  directory: Schema.decodeUnknownSync(DirectoryVaultConfig),
  spool: Schema.decodeUnknownSync(SpoolConfig)
} as const
