import { isLocalPath, isPlainText } from "@sluice/core/sink"
import { Effect, Schema } from "effect"
import { fitting, lakeFields } from "./LakeOptions.ts"

/** The settings of a directory sink as a pipeline file holds them. */
export const DirectorySinkConfig = Schema.Struct({
  /** The directory, on a local file system; made if absent. */
  path: Schema.NonEmptyString.check(isLocalPath).pipe(Schema.withDecodingDefaultKey(Effect.succeed("./.sluice/lake"))),
  ...lakeFields,
  /** Tells sinks of one pipeline apart. */
  name: Schema.NonEmptyString.check(isPlainText).pipe(Schema.withDecodingDefaultKey(Effect.succeed("directory")))
})
  .check(fitting)
  .annotate({ identifier: "DirectorySinkConfig" })
export type DirectorySinkConfig = typeof DirectorySinkConfig.Type

/** The settings as code writes them: each is optional. */
export type DirectorySinkOptions = Partial<typeof DirectorySinkConfig.Encoded>

const decode = Schema.decodeUnknownSync(DirectorySinkConfig)

/** Fills in the defaults. Throws a `SchemaError` on options that make no sense. */
export const withDirectoryDefaults = (options: DirectorySinkOptions): DirectorySinkConfig => decode(options)
