import { randomBytes } from "node:crypto"
import { crc32 } from "node:zlib"
import {
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandInput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
  type UploadPartCommandInput
} from "@aws-sdk/client-s3"
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { S3Endpoint } from "../S3Endpoint.ts"

/** What a server answered in place of what was asked. */
export class S3Refused extends Schema.TaggedError<S3Refused>()("S3Refused", {
  status: Schema.Finite,
  code: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `${this.status} ${this.code}`
  }
}

/** An empty bucket on a server, with a client of AWS's own. */
export interface S3UnderCheck {
  readonly server: S3Endpoint
  readonly client: S3Client
  readonly bucket: string
}

/** One thing a sink needs of a server. */
export type S3Check = (s3: S3UnderCheck) => Effect.Effect<void, S3Refused>

/** A part of the least size but the last's, and one that may only be the last. */
export const wholePart = randomBytes(5 * 1024 * 1024)
export const lastPart = randomBytes(1000)

/** Runs a call of the client. */
export const call = <A>(ask: () => Promise<A>): Effect.Effect<A, S3Refused> =>
  Effect.tryPromise({
    try: ask,
    catch: (cause) =>
      cause instanceof S3ServiceException
        ? new S3Refused({ status: cause.$metadata.httpStatusCode ?? 0, code: cause.name, cause })
        : new S3Refused({ status: 0, code: String(cause), cause })
  })

/** Holds that a server refuses a call; without a code where the answer has no body to hold one. */
export const refused = <A>(
  asked: Effect.Effect<A, S3Refused>,
  status: number,
  code?: string
): Effect.Effect<void, S3Refused> =>
  Effect.matchEffect(asked, {
    onSuccess: () => Effect.sync(() => assert.fail("accepted")),
    onFailure: (error) =>
      Effect.sync(() => {
        if (code === undefined) assert.strictEqual(error.status, status)
        else assert.strictEqual(error.message, `${status} ${code}`)
      })
  })

/** Writes an object. */
export const put = (
  { bucket, client }: S3UnderCheck,
  key: string,
  body: NonNullable<PutObjectCommandInput["Body"]>,
  more: Partial<PutObjectCommandInput> = {}
) => call(() => client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ...more })))

/** Reads an object whole, or as much of it as is asked for. */
export const get = (
  { bucket, client }: S3UnderCheck,
  key: string,
  more: Partial<GetObjectCommandInput> = {}
): Effect.Effect<GetObjectCommandOutput & { readonly bytes: Buffer }, S3Refused> =>
  call(async () => {
    const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...more }))
    return { ...answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) }
  })

/** Asks for what is known of an object. */
export const head = ({ bucket, client }: S3UnderCheck, key: string, more: Partial<HeadObjectCommandInput> = {}) =>
  call(() => client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ...more })))

/** Begins an upload, and returns how to continue it. */
export const beginUpload = Effect.fnUntraced(function* (
  { bucket, client }: S3UnderCheck,
  key: string,
  more: Partial<CreateMultipartUploadCommandInput> = {}
) {
  const target = { Bucket: bucket, Key: key }
  const created = yield* call(() => client.send(new CreateMultipartUploadCommand({ ...target, ...more })))
  const upload = { ...target, UploadId: created.UploadId }
  return {
    upload,
    part: (number: number, body: Buffer, options: Partial<UploadPartCommandInput> = {}) =>
      Effect.map(
        call(() => client.send(new UploadPartCommand({ ...upload, PartNumber: number, Body: body, ...options }))),
        ({ ChecksumCRC32, ETag }) => ({ PartNumber: number, ETag, ChecksumCRC32 })
      ),
    complete: (
      parts: ReadonlyArray<{
        readonly PartNumber: number
        readonly ETag: string | undefined
        readonly ChecksumCRC32?: string | undefined
      }>,
      options: Partial<CompleteMultipartUploadCommandInput> = {}
    ) =>
      call(() =>
        client.send(
          new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [...parts] }, ...options })
        )
      )
  }
})

/** Holds that bytes are the same, without printing them where they are not. */
export const sameBytes = (found: Buffer, wanted: Buffer): void =>
  assert.isTrue(found.equals(wanted), `${found.length} bytes in place of ${wanted.length}`)

/** A CRC32 as S3 writes it. */
export const crc32Of = (bytes: Buffer): string => {
  const value = Buffer.alloc(4)
  value.writeUInt32BE(crc32(bytes))
  return value.toString("base64")
}
