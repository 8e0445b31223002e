import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3"
import type { S3SinkOptions } from "@sluice/sink-s3"
import { createS3Bucket, type S3Endpoint, s3Client } from "@sluice/testkit/s3"
import { Effect, type Scope } from "effect"
import type { ReadObject } from "./readLake.ts"

/** Settings of a sink on a server of the tests. */
const optionsOf = (server: S3Endpoint, bucket: string) =>
  ({
    bucket,
    prefix: "größe a+b/",
    endpoint: server.endpoint,
    region: server.region,
    access_key_id: server.accessKeyId,
    secret_access_key: server.secretAccessKey
  }) satisfies S3SinkOptions

/** Objects of a bucket below the prefix of {@link optionsOf}, as a reader finds them. */
export const objectsOf = Effect.fnUntraced(function* (server: S3Endpoint, bucket: string) {
  const client = yield* s3Client(server)
  const read: ReadObject = async (key) => {
    try {
      const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: `größe a+b/${key}` }))
      return await found.Body?.transformToByteArray()
    } catch (cause) {
      if ((cause as Error).name === "NoSuchKey") return undefined
      throw cause
    }
  }
  return read
})

/** Every object of a bucket, as base64. */
export const everyObject = Effect.fnUntraced(function* (server: S3Endpoint, bucket: string) {
  const client = yield* s3Client(server)
  return yield* Effect.promise(async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
    const objects = new Map<string, string | undefined>()
    for (const { Key = "" } of Contents) {
      const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
      objects.set(Key, await found.Body?.transformToString("base64"))
    }
    return objects
  })
})

/** A fresh bucket with settings for a sink, and how to read what is in it. */
export const bucketOn = Effect.fnUntraced(function* (
  server: S3Endpoint
): Effect.fn.Return<{ readonly options: S3SinkOptions; readonly read: ReadObject }, never, Scope.Scope> {
  const bucket = yield* createS3Bucket(server)
  return { options: optionsOf(server, bucket), read: yield* objectsOf(server, bucket) }
})
