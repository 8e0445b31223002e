import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
  S3ServiceException
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

/** Some stores list no uploads, and some delete at most one object in a request. */
const remove = async (client: S3Client, bucket: string): Promise<void> => {
  const found = await unlessLacking(client.send(new ListMultipartUploadsCommand({ Bucket: bucket })))
  for (const { Key, UploadId } of found?.Uploads ?? []) {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
  }
  while (true) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
    if (Contents.length === 0) break
    for (const { Key = "" } of Contents) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))
  }
  await client.send(new DeleteBucketCommand({ Bucket: bucket }))
}

/** Nothing where the store answers that it has no such request. */
const unlessLacking = <A>(work: Promise<A>): Promise<A | undefined> =>
  work.catch((cause) => {
    if (cause instanceof S3ServiceException && lacking.includes(cause.$metadata.httpStatusCode ?? 0)) return undefined
    throw cause
  })

/** How stores answer a request that they do not have. */
const lacking = [400, 405, 501]
