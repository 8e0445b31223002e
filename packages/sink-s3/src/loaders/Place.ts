import { resolve, sep } from "node:path"
import { Effect } from "effect"
import type { DirectorySinkConfig } from "../DirectorySinkConfig.ts"
import type { S3SinkConfig } from "../S3SinkConfig.ts"
import { LoaderRefused } from "./LoaderRefused.ts"

/** A directory, named so that it is found from anywhere. Ends with a separator. */
export interface DirectoryPlace {
  readonly kind: "directory"
  readonly root: string
}

/** A bucket below a prefix, without any credential. */
export interface BucketPlace {
  readonly kind: "bucket"
  readonly bucket: string
  readonly prefix: string
  readonly region: string | undefined
  /** Host and port of a store that is not found by the name of AWS. */
  readonly endpoint: { readonly host: string; readonly isSecure: boolean } | undefined
  readonly isPathStyle: boolean
  /** Whose store it is: warehouses know those of Amazon and Google by a name of their own. */
  readonly provider: "amazon" | "google" | "other"
}

/** Where the objects of a sink are, for an engine that reads them. */
export type Place = DirectoryPlace | BucketPlace

/** The place of a directory sink. */
export const directoryPlace = ({
  path
}: Pick<DirectorySinkConfig, "path">): Effect.Effect<DirectoryPlace, LoaderRefused> => {
  const root = resolve(path)
  return Effect.as(writable(root), { kind: "directory", root: root.endsWith(sep) ? root : `${root}${sep}` })
}

/** The place of an S3 sink. */
export const bucketPlace = Effect.fnUntraced(function* (
  config: Pick<S3SinkConfig, "bucket" | "endpoint" | "path_style" | "prefix" | "region">
): Effect.fn.Return<BucketPlace, LoaderRefused> {
  const { bucket, endpoint, prefix, region } = config
  if (endpoint !== undefined && !URL.canParse(endpoint)) {
    return yield* new LoaderRefused({ detail: "the endpoint of the sink is no URL: write it as https://host:port" })
  }
  const url = endpoint === undefined ? undefined : new URL(endpoint)
  yield* Effect.forEach([bucket, prefix, region ?? ""], writable)
  return {
    kind: "bucket",
    bucket,
    prefix,
    region,
    endpoint: url === undefined ? undefined : { host: url.host, isSecure: url.protocol === "https:" },
    isPathStyle: config.path_style ?? endpoint !== undefined,
    provider: providerOf(url?.hostname)
  }
})

const providerOf = (host: string | undefined): BucketPlace["provider"] => {
  if (host === undefined || /\.amazonaws\.com(\.cn)?$/.test(host)) return "amazon"
  return host === "storage.googleapis.com" ? "google" : "other"
}

/** No engine's literals hold a control character in the same way, and a comment would end at one. */
const writable = (text: string): Effect.Effect<void, LoaderRefused> =>
  /\p{Cc}/u.test(text) || !text.isWellFormed()
    ? Effect.fail(
        new LoaderRefused({
          detail: "the place of the sink has a control character in its name, which no statement can hold: rename it"
        })
      )
    : Effect.void
