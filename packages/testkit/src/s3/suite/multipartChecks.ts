import { Readable } from "node:stream"
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, ListPartsCommand } from "@aws-sdk/client-s3"
import { Upload } from "@aws-sdk/lib-storage"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import {
  beginUpload,
  call,
  crc32Of,
  get,
  head,
  lastPart,
  put,
  refused,
  type S3Check,
  sameBytes,
  wholePart
} from "./S3UnderCheck.ts"

/** Objects in parts. */
export const multipartChecks = {
  "completes an upload of three parts": Effect.fnUntraced(function* (s3) {
    const { complete, part } = yield* beginUpload(s3, "m/big")
    const bodies = [wholePart, wholePart, lastPart]
    const parts = yield* Effect.forEach(bodies, (body, i) => part(i + 1, body))
    yield* complete(parts)
    const { bytes, ETag } = yield* get(s3, "m/big")
    sameBytes(bytes, Buffer.concat(bodies))
    assert.match(ETag ?? "", /^"[\da-f]{32}-3"$/)
  }),

  "takes parts in any order, and in place of others": Effect.fnUntraced(function* (s3) {
    const { complete, part } = yield* beginUpload(s3, "m/order")
    const second = yield* part(2, lastPart)
    yield* part(1, lastPart)
    const first = yield* part(1, wholePart)
    yield* complete([first, second])
    sameBytes((yield* get(s3, "m/order")).bytes, Buffer.concat([wholePart, lastPart]))
  }),

  "refuses parts under 5 MiB": Effect.fnUntraced(function* (s3) {
    const { complete, part } = yield* beginUpload(s3, "m/small")
    const parts = yield* Effect.forEach([1, 2], (number) => part(number, lastPart))
    yield* refused(complete(parts), 400, "EntityTooSmall")
  }),

  "refuses a part of another ETag": Effect.fnUntraced(function* (s3) {
    const { complete, part } = yield* beginUpload(s3, "m/wrong")
    yield* part(1, lastPart)
    yield* refused(complete([{ PartNumber: 1, ETag: '"00000000000000000000000000000000"' }]), 400, "InvalidPart")
  }),

  "lists uploads and parts, and forgets what was aborted": Effect.fnUntraced(function* (s3) {
    const { bucket: Bucket, client } = s3
    const { part, upload } = yield* beginUpload(s3, "m/abort")
    yield* part(1, lastPart)
    const { Uploads = [] } = yield* call(() => client.send(new ListMultipartUploadsCommand({ Bucket })))
    assert.deepStrictEqual(
      Uploads.map(({ Key, UploadId }) => ({ Bucket, Key, UploadId })),
      [upload]
    )
    const { Parts = [] } = yield* call(() => client.send(new ListPartsCommand(upload)))
    assert.deepStrictEqual(
      Parts.map(({ PartNumber, Size }) => [PartNumber, Size]),
      [[1, lastPart.length]]
    )
    yield* call(() => client.send(new AbortMultipartUploadCommand(upload)))
    yield* refused(part(1, lastPart), 404, "NoSuchUpload")
    const left = yield* call(() => client.send(new ListMultipartUploadsCommand({ Bucket })))
    assert.lengthOf(left.Uploads ?? [], 0)
  }),

  "refuses to complete over what is there with If-None-Match: *": Effect.fnUntraced(function* (s3) {
    yield* put(s3, "c/new", "v1")
    const { complete, part } = yield* beginUpload(s3, "c/new")
    const only = yield* part(1, lastPart)
    yield* refused(complete([only], { IfNoneMatch: "*" }), 412, "PreconditionFailed")
    assert.strictEqual(String((yield* get(s3, "c/new")).bytes), "v1")
  }),

  "takes a stream of 12 MiB from lib-storage": Effect.fnUntraced(function* (s3) {
    const rest = wholePart.subarray(0, 2 * 1024 * 1024)
    const upload = new Upload({
      client: s3.client,
      params: { Bucket: s3.bucket, Key: "m/stream", Body: Readable.from([wholePart, wholePart, rest]) },
      partSize: wholePart.length,
      queueSize: 3
    })
    yield* call(() => upload.done())
    sameBytes((yield* get(s3, "m/stream")).bytes, Buffer.concat([wholePart, wholePart, rest]))
  }),

  "keeps a CRC32 of the whole": Effect.fnUntraced(function* (s3) {
    const whole = crc32Of(Buffer.concat([wholePart, lastPart]))
    const { complete, part } = yield* beginUpload(s3, "m/full", {
      ChecksumAlgorithm: "CRC32",
      ChecksumType: "FULL_OBJECT"
    })
    const parts = yield* Effect.forEach([wholePart, lastPart], (body, i) =>
      part(i + 1, body, { ChecksumAlgorithm: "CRC32" })
    )
    yield* complete(parts, { ChecksumType: "FULL_OBJECT", ChecksumCRC32: whole })
    const { ChecksumCRC32 } = yield* head(s3, "m/full", { ChecksumMode: "ENABLED" })
    assert.strictEqual(ChecksumCRC32 ?? "no checksum", whole)
  })
} satisfies Record<string, S3Check>
