import { createHash } from "node:crypto"
import { Readable } from "node:stream"
import { gzipSync } from "node:zlib"
import { CopyObjectCommand, DeleteObjectsCommand, HeadBucketCommand } from "@aws-sdk/client-s3"
import { assert } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { s3Client } from "../S3Bucket.ts"
import { call, crc32Of, get, head, put, refused, type S3Check, sameBytes } from "./S3UnderCheck.ts"

const lines = gzipSync(Buffer.alloc(200_000, 'abc {"x":1}\n'))

/** Objects in one piece: bytes, checksums, keys, and who may ask. */
export const objectChecks = {
  "has a bucket that was made": Effect.fnUntraced(function* ({ bucket, client }) {
    yield* call(() => client.send(new HeadBucketCommand({ Bucket: bucket })))
  }),

  "keeps bytes, metadata and encoding of a buffer": Effect.fnUntraced(function* (s3) {
    const about = { ContentEncoding: "gzip", ContentType: "application/x-ndjson", Metadata: { job: "j1" } }
    yield* put(s3, "a/1.gz", lines, about)
    const { bytes, ContentEncoding, ContentType, Metadata } = yield* get(s3, "a/1.gz")
    sameBytes(bytes, lines)
    assert.deepStrictEqual({ ContentEncoding, ContentType, Metadata }, about)
  }),

  "takes a stream in chunks with a checksum behind them": Effect.fnUntraced(function* (s3) {
    const bytes = Buffer.alloc(100_000, "0123456789")
    const stream = Readable.from([bytes.subarray(0, 65_536), bytes.subarray(65_536)])
    yield* put(s3, "a/2", stream, { ContentLength: bytes.length })
    const read = yield* get(s3, "a/2")
    sameBytes(read.bytes, bytes)
    assert.isUndefined(read.ContentEncoding)
  }),

  "refuses a wrong CRC32": (s3) =>
    refused(put(s3, "a/bad", Buffer.from("hello"), { ChecksumCRC32: "AAAAAA==" }), 400, "BadDigest"),

  "refuses a wrong Content-MD5": (s3) =>
    refused(
      put(s3, "a/bad", Buffer.from("hello"), { ContentMD5: createHash("md5").update("x").digest("base64") }),
      400,
      "BadDigest"
    ),

  "gives the CRC32 back": Effect.fnUntraced(function* (s3) {
    yield* put(s3, "a/1.gz", lines)
    const { ChecksumCRC32 } = yield* head(s3, "a/1.gz", { ChecksumMode: "ENABLED" })
    assert.strictEqual(ChecksumCRC32 ?? "no checksum", crc32Of(lines))
  }),

  "gives a SHA256 back": Effect.fnUntraced(function* (s3) {
    yield* put(s3, "a/sha", lines, { ChecksumAlgorithm: "SHA256" })
    const { ChecksumSHA256 } = yield* head(s3, "a/sha", { ChecksumMode: "ENABLED" })
    assert.strictEqual(ChecksumSHA256 ?? "no checksum", createHash("sha256").update(lines).digest("base64"))
  }),

  "copies an object": Effect.fnUntraced(function* (s3) {
    yield* put(s3, "a/1.gz", lines)
    const CopySource = `${s3.bucket}/a/1.gz`
    yield* call(() => s3.client.send(new CopyObjectCommand({ Bucket: s3.bucket, Key: "copy", CopySource })))
    sameBytes((yield* get(s3, "copy")).bytes, lines)
  }),

  "deletes objects by a list": Effect.fnUntraced(function* (s3) {
    yield* Effect.forEach(["l/0", "l/1", "l/2"], (key) => put(s3, key, "x"))
    const Delete = { Objects: [{ Key: "l/0" }, { Key: "l/1" }] }
    const { Deleted } = yield* call(() => s3.client.send(new DeleteObjectsCommand({ Bucket: s3.bucket, Delete })))
    assert.lengthOf(Deleted ?? [], 2)
    yield* refused(head(s3, "l/0"), 404)
    yield* head(s3, "l/2")
  }),

  "says that a key is not there": (s3) => refused(get(s3, "nope"), 404, "NoSuchKey"),

  "says that a bucket is not there": (s3) =>
    refused(put({ ...s3, bucket: "no-such-bucket-x" }, "k", "x"), 404, "NoSuchBucket"),

  "lets nobody in with a wrong secret": (s3) =>
    Effect.scoped(
      Effect.gen(function* () {
        const client = yield* s3Client({ ...s3.server, secretAccessKey: Redacted.make("wrong-secret-wrong") })
        yield* refused(put({ ...s3, client }, "x", "x"), 403, "SignatureDoesNotMatch")
      })
    )
} satisfies Record<string, S3Check>
