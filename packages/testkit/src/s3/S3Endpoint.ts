import type { Redacted } from "effect"

/** Where an S3 server is, and what opens it. Buckets are in the path. */
export interface S3Endpoint {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  /** Which kind of server it is. */
  readonly label: string
}

/** A server together with what ends it. */
export interface StartedS3 extends S3Endpoint {
  readonly stop: () => Promise<void>
}
