import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client
} from "@aws-sdk/client-s3"
import { Effect, Redacted, type Scope } from "effect"
import type { S3Endpoint } from "./S3Endpoint.ts"

/** A client of AWS's own for the scope. It does not repeat requests. */
export const s3Client = (server: S3Endpoint): Effect.Effect<S3Client, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(
      () =>
        new S3Client({
          endpoint: server.endpoint,
          region: server.region,
          forcePathStyle: true,
          maxAttempts: 1,
          logger: silent,
          credentials: { accessKeyId: server.accessKeyId, secretAccessKey: Redacted.value(server.secretAccessKey) }
        })
    ),
    (client) => Effect.sync(() => client.destroy())
  )

/** Else the client complains on the console of streams it could not send again. */
const silent = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/**
 * A fresh bucket on a server, removed with all that is in it when the scope ends. Answers its name. Each of the two is asked for over
 * a connection of its own: a server closes one that has been idle, which looks like a failure to who asks at that moment.
 */
export const createS3Bucket = Effect.fn("S3Bucket.create")(function* (server: S3Endpoint) {
  const asking = (ask: (client: S3Client) => Promise<unknown>) =>
    Effect.scoped(Effect.flatMap(s3Client(server), (client) => Effect.promise(() => ask(client))))
  const bucket = `sluice-${crypto.randomUUID()}`
  yield* Effect.acquireRelease(
    asking((client) => client.send(new CreateBucketCommand({ Bucket: bucket }))),
    () => asking((client) => remove(client, bucket))
  )
  return bucket
})

const remove = async (client: S3Client, bucket: string): Promise<void> => {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
  for (const { Key, UploadId } of Uploads) {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
  }
  while (true) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
    if (Contents.length === 0) break
    const Objects = Contents.map(({ Key }) => ({ Key: Key ?? "" }))
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }))
  }
  await client.send(new DeleteBucketCommand({ Bucket: bucket }))
}
