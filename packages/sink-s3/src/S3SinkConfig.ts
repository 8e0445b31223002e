import { isPlainText, isServiceUrl } from "@sluice/core/sink"
import { Effect, Redacted, Schema } from "effect"
import { fitting, lakeFields } from "./LakeOptions.ts"

/** What S3 and the stores like it take, older names included; or an access point of AWS. */
const Bucket = Schema.String.check(
  Schema.isPattern(/^(?:[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]|arn:[A-Za-z0-9:/_-]+)$/, {
    expected: "the name of a bucket: letters, digits, dots and hyphens, 3 at least, without s3:// and slashes"
  })
)

/** Ends with a slash, or is empty. S3 takes keys of 1,024 bytes, and what Sluice appends needs some 300 of them. */
const Prefix = Schema.String.check(
  isPlainText,
  Schema.isMaxLength(700, { expected: "a prefix of 700 characters at most" }),
  Schema.isPattern(/^(?!\/)(?:.*[^/]\/)?$/, { expected: "a prefix that ends with one / and does not begin with one" })
)

/** Where a bucket is and who may write to it. */
export const placeFields = {
  /** The bucket, which has to be there. */
  bucket: Bucket,
  /** What the keys of all objects begin with, such as `lake/`. */
  prefix: Prefix.pipe(Schema.withDecodingDefaultKey(Effect.succeed(""))),
  /** Absent: as the AWS SDK finds it (`AWS_REGION`, a profile). */
  region: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^[A-Za-z0-9._-]+$/, { expected: "the name of a region, such as eu-central-1" })
    )
  ),
  /** The address of a store that is not AWS, `https://host:port`. */
  endpoint: Schema.optionalKey(Schema.String.check(isServiceUrl)),
  /** Whether the bucket is named in the path, not in the host. Absent: with an `endpoint`. */
  path_style: Schema.optionalKey(Schema.Boolean),
  /** Absent: as the AWS SDK finds them (`AWS_*` variables, a profile, the machine's role). */
  access_key_id: Schema.optionalKey(Schema.NonEmptyString),
  secret_access_key: Schema.optionalKey(Schema.RedactedFromValue(Schema.String, { label: "secret_access_key" })),
  /**
   * `none` writes to a store that does not keep conditional writes. One process at a time may then write a pipeline: of two that
   * publish at once, one run may be missing from what readers see.
   */
  conditional_writes: Schema.Literals(["required", "none"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("required"))
  )
} as const

/** Half of the credentials is none. */
export const wholeCredentials = Schema.makeFilter<{
  readonly access_key_id?: string
  readonly secret_access_key?: Redacted.Redacted
}>(
  ({ access_key_id, secret_access_key }) =>
    (access_key_id === undefined) === (secret_access_key === undefined) || {
      path: [access_key_id === undefined ? "access_key_id" : "secret_access_key"],
      issue: "is required with the other half of the credentials"
    }
)

const Place = Schema.Struct(placeFields)

/** The settings of a bucket, decoded. */
export type S3Place = typeof Place.Type

/** The settings of an S3 sink as a pipeline file holds them. */
export const S3SinkConfig = Schema.Struct({
  ...placeFields,
  ...lakeFields,
  /** Tells sinks of one pipeline apart. */
  name: Schema.NonEmptyString.check(isPlainText).pipe(Schema.withDecodingDefaultKey(Effect.succeed("s3")))
})
  .check(fitting, wholeCredentials)
  .annotate({ identifier: "S3SinkConfig" })
export type S3SinkConfig = typeof S3SinkConfig.Type

/** Settings as code writes them: the bucket alone is required, and the secret may be plain or redacted. */
export type S3Written<Encoded> = Omit<Partial<Encoded>, "bucket" | "secret_access_key"> & {
  readonly bucket: string
  readonly secret_access_key?: string | Redacted.Redacted
}

/** The settings of an S3 sink as code writes them. */
export interface S3SinkOptions extends S3Written<typeof S3SinkConfig.Encoded> {}

/** Settings as a pipeline file would hold them. */
export const plainSecret = <Encoded>({ secret_access_key: secret, ...options }: S3Written<Encoded>) =>
  secret === undefined
    ? options
    : { ...options, secret_access_key: Redacted.isRedacted(secret) ? Redacted.value(secret) : secret }

const decode = Schema.decodeUnknownSync(S3SinkConfig)

/** Fills in the defaults. Throws a `SchemaError` on options that make no sense. */
export const withS3Defaults = (options: S3SinkOptions): S3SinkConfig => decode(plainSecret(options))
