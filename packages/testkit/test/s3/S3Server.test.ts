import { once } from "node:events"
import { connect } from "node:net"
import { Readable } from "node:stream"
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  ListPartsCommand,
  S3Client
} from "@aws-sdk/client-s3"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Redacted } from "effect"
import { type S3Fault, S3Server, type S3ServerOptions, s3Client } from "../../src/s3/index.ts"
import {
  beginUpload,
  call,
  crc32Of,
  get,
  head,
  lastPart,
  put,
  refused,
  type S3Refused,
  type S3UnderCheck,
  wholePart
} from "../../src/s3/suite/S3UnderCheck.ts"

const bucket = "pages"

/** A server with a bucket, and AWS's client of it. */
const serving = Effect.fnUntraced(function* (options: S3ServerOptions = {}) {
  const server = yield* S3Server.make(options)
  yield* server.createBucket(bucket)
  const client = yield* s3Client(server)
  const s3: S3UnderCheck = { server, client, bucket }
  return { server, client, s3 }
})

const list = ({ client }: S3UnderCheck, more: Partial<ListObjectsV2CommandInput> = {}) =>
  call(() => client.send(new ListObjectsV2Command({ Bucket: bucket, ...more })))

/** Holds that the connection breaks before there is an answer. */
const unanswered = <A>(asked: Effect.Effect<A, S3Refused>) =>
  Effect.map(Effect.flip(asked), ({ status }) => assert.strictEqual(status, 0))

describe("S3Server", () => {
  it.live("notes every request, refused ones included", () =>
    Effect.gen(function* () {
      const faults = [{ operation: "GetObject", fault: { _tag: "Status", status: 503 } }] as const
      const { s3, server } = yield* serving({ faults })
      yield* put(s3, "a/1", "x")
      yield* refused(get(s3, "a/1"), 503, "SlowDown")
      yield* refused(head({ ...s3, bucket: "other" }, "a/1"), 404)
      yield* list(s3)
      assert.deepStrictEqual(server.requests, [
        { method: "PUT", operation: "PutObject", bucket, key: "a/1", fault: null },
        { method: "GET", operation: "GetObject", bucket, key: "a/1", fault: "Status" },
        { method: "HEAD", operation: "HeadObject", bucket: "other", key: "a/1", fault: null },
        { method: "GET", operation: "ListObjectsV2", bucket, key: "", fault: null }
      ])
    })
  )

  it.live("plays faults by operation, key, number and how often", () =>
    Effect.gen(function* () {
      const { s3, server } = yield* serving()
      const fault: S3Fault = { _tag: "Status", status: 500 }
      server.faults.add({ operation: "PutObject", key: "a/", nth: [2], fault })
      const outcomes = yield* Effect.forEach(["b/1", "a/1", "b/2", "a/2", "a/3"], (key) =>
        Effect.isSuccess(put(s3, key, "x"))
      )
      assert.deepStrictEqual(outcomes, [true, true, true, false, true])
      server.faults.clear()
      server.faults.add({ times: 1, fault: { _tag: "Status", status: 409 } })
      yield* refused(put(s3, "c", "x"), 409, "ConditionalRequestConflict")
      yield* put(s3, "c", "x")
    })
  )

  it.live("answers errors in place of the effect, which a client may repeat", () =>
    Effect.gen(function* () {
      const { s3, server } = yield* serving()
      const { accessKeyId, endpoint, region, secretAccessKey } = server
      const patient = new S3Client({
        endpoint,
        region,
        forcePathStyle: true,
        maxAttempts: 3,
        credentials: { accessKeyId, secretAccessKey: Redacted.value(secretAccessKey) }
      })
      server.faults.add({ operation: "PutObject", nth: [1], fault: { _tag: "Status", status: 429, retryAfter: 3 } })
      server.faults.add({ operation: "PutObject", nth: [2], fault: { _tag: "Status", status: 500 } })
      yield* refused(put(s3, "a", "x", { IfNoneMatch: "*" }), 429, "SlowDown")
      yield* put({ ...s3, client: patient }, "a", "x", { IfNoneMatch: "*" })
      assert.lengthOf(server.requests, 3)
      patient.destroy()
    })
  )

  it.live("resets before the effect, or after it", () =>
    Effect.gen(function* () {
      const { s3, server } = yield* serving()
      server.faults.add({ operation: "PutObject", nth: [1], fault: { _tag: "Reset" } })
      server.faults.add({ operation: "PutObject", nth: [2], fault: { _tag: "Lost" } })
      yield* unanswered(put(s3, "a", "x"))
      yield* refused(head(s3, "a"), 404)
      yield* unanswered(put(s3, "a", "x", { IfNoneMatch: "*" }))
      yield* refused(put(s3, "a", "y", { IfNoneMatch: "*" }), 412, "PreconditionFailed")
    })
  )

  it.live("cuts answers off, holds them back and sends them late", () =>
    Effect.gen(function* () {
      const { client, s3, server } = yield* serving()
      yield* put(s3, "a", wholePart)
      server.faults.add({ operation: "GetObject", nth: [1], fault: { _tag: "Truncated" } })
      server.faults.add({ operation: "GetObject", nth: [2], fault: { _tag: "Slow", millis: 20 } })
      server.faults.add({ operation: "HeadObject", fault: { _tag: "Slow", millis: 3_600_000 } })
      server.faults.add({ operation: "PutObject", nth: [1], fault: { _tag: "Truncated" } })
      yield* Effect.flip(get(s3, "a"))
      yield* unanswered(put(s3, "b", "x"))
      assert.lengthOf((yield* get(s3, "a")).bytes, wholePart.length)
      const late = yield* Effect.forkChild(head(s3, "a"))
      server.faults.add({ operation: "PutObject", fault: { _tag: "Stalled" } })
      yield* Effect.flip(Effect.timeout(put(s3, "b", "x"), "50 millis"))
      assert.isUndefined(late.pollUnsafe())
      client.destroy()
      yield* Fiber.interrupt(late)
    })
  )

  it.live("answers errors with 200, as long operations may", () =>
    Effect.gen(function* () {
      const { s3, server } = yield* serving()
      server.faults.add({ operation: "CompleteMultipartUpload", nth: [1], fault: { _tag: "ErrorInside" } })
      const { complete, part } = yield* beginUpload(s3, "a")
      const parts = [yield* part(1, lastPart)]
      assert.strictEqual((yield* Effect.flip(complete(parts))).code, "InternalError")
      yield* complete(parts)
      yield* head(s3, "a")
    })
  )

  it.live("runs what a test does in the middle of a request", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const continueRun = yield* Deferred.make<void>()
      const { s3 } = yield* serving({
        onRequest: ({ operation }) =>
          operation === "PutObject"
            ? Effect.andThen(Deferred.succeed(arrived, undefined), Deferred.await(continueRun))
            : Effect.void
      })
      const write = yield* Effect.forkChild(put(s3, "a", "x"))
      yield* Deferred.await(arrived)
      yield* refused(head(s3, "a"), 404)
      yield* Deferred.succeed(continueRun, undefined)
      yield* Fiber.join(write)
      yield* head(s3, "a")
    })
  )

  it.live("stores nothing of a body that was cut off", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const { s3, server } = yield* serving({ onRequest: () => Deferred.succeed(arrived, undefined) })
      const socket = connect(Number(new URL(server.endpoint).port), "127.0.0.1")
      socket.write(`PUT /${bucket}/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello`)
      yield* Deferred.await(arrived)
      socket.destroy()
      yield* Effect.promise(() => once(socket, "close"))
      yield* refused(head(s3, "a"), 404)
      assert.deepStrictEqual((yield* list(s3)).Contents, undefined)
    })
  )

  it.live("lets nobody in without a good signature", () =>
    Effect.gen(function* () {
      const { s3, server } = yield* serving()
      const { accessKeyId, endpoint, secretAccessKey } = server
      const unsigned = yield* Effect.promise(() => fetch(`${endpoint}/${bucket}/a`, { method: "PUT", body: "x" }))
      assert.deepStrictEqual(
        [unsigned.status, (yield* Effect.promise(() => unsigned.text())).includes("<Code>AccessDenied</Code>")],
        [403, true]
      )
      const elsewhere = yield* s3Client({ ...server, region: "eu-west-1" })
      yield* refused(put({ ...s3, client: elsewhere }, "a", "x"), 400, "AuthorizationHeaderMalformed")
      const nobody = yield* s3Client({ ...server, accessKeyId: "nobody" })
      yield* refused(put({ ...s3, client: nobody }, "a", "x"), 403, "InvalidAccessKeyId")
      const late = new S3Client({
        endpoint,
        region: server.region,
        forcePathStyle: true,
        maxAttempts: 1,
        systemClockOffset: -3_600_000,
        credentials: { accessKeyId, secretAccessKey: Redacted.value(secretAccessKey) }
      })
      yield* refused(put({ ...s3, client: late }, "a", "x"), 403, "RequestTimeTooSkewed")
      late.destroy()
    })
  )

  it.live("refuses what it would have to pass over", () =>
    Effect.gen(function* () {
      const { s3 } = yield* serving()
      yield* refused(put(s3, "a", "x", { ACL: "public-read" }), 501, "NotImplemented")
      yield* refused(put(s3, "a", "x", { IfNoneMatch: '"abc"' }), 501, "NotImplemented")
      yield* refused(get(s3, "a", { VersionId: "1" }), 501, "NotImplemented")
      yield* refused(put(s3, "a", "x", { ChecksumAlgorithm: "CRC64NVME" }), 501)
      yield* refused(put(s3, "k".repeat(1025), "x"), 400, "KeyTooLongError")
      yield* refused(put(s3, "a", "x", { Metadata: { job: "j".repeat(2100) } }), 400, "MetadataTooLarge")
      const crumbs = Readable.from([Buffer.alloc(100), Buffer.alloc(100)])
      yield* refused(put(s3, "a", crumbs, { ContentLength: 200 }), 403, "InvalidChunkSizeError")
      yield* refused(head(s3, "a"), 404)
    })
  )

  it.live("lists by the bytes of keys, groups over pages, and keys XML cannot hold", () =>
    Effect.gen(function* () {
      const { s3 } = yield* serving()
      // By UTF-16 units the second would come first.
      const wide = ["\uff5e", "😀"]
      yield* Effect.forEach([...wide, "a/1", "a/2", "b", "c/1"], (key) => put(s3, key, "x"))
      const groups: Array<string | undefined> = []
      let next: string | undefined
      do {
        const page = yield* list(s3, { Delimiter: "/", MaxKeys: 1, ContinuationToken: next })
        groups.push(page.CommonPrefixes?.[0]?.Prefix ?? page.Contents?.[0]?.Key)
        next = page.NextContinuationToken
      } while (next !== undefined && groups.length < 9)
      assert.deepStrictEqual(groups, ["a/", "b", "c/", ...wide])
      yield* put(s3, "d/\u0001+ ", "x")
      const { Contents, Prefix } = yield* list(s3, { Prefix: "d/", EncodingType: "url" })
      assert.deepStrictEqual([Contents?.[0]?.Key, Prefix], ["d/%01%2B%20", "d/"])
      yield* refused(list(s3, { ContinuationToken: "never given" }), 400, "InvalidArgument")
    })
  )

  it.live("copies under a condition, with metadata of its own or the original's", () =>
    Effect.gen(function* () {
      const { client, s3 } = yield* serving()
      const copy = (key: string, source: string, more = {}) =>
        call(() =>
          client.send(new CopyObjectCommand({ Bucket: bucket, Key: key, CopySource: `${bucket}/${source}`, ...more }))
        )
      yield* put(s3, "a b/ü", "x", { Metadata: { job: "j1" } })
      yield* copy("kept", encodeURIComponent("a b/ü"), { IfNoneMatch: "*" })
      yield* copy("replaced", encodeURIComponent("a b/ü"), { MetadataDirective: "REPLACE", Metadata: { job: "j2" } })
      const jobs = yield* Effect.forEach(["kept", "replaced"], (key) => head(s3, key))
      assert.deepStrictEqual(
        jobs.map(({ Metadata }) => Metadata?.job),
        ["j1", "j2"]
      )
      yield* refused(copy("kept", "replaced", { IfNoneMatch: "*" }), 412, "PreconditionFailed")
      yield* refused(copy("kept", "kept"), 400, "InvalidRequest")
      yield* refused(copy("kept", "nope"), 404, "NoSuchKey")
    })
  )
})

describe("an upload in parts", () => {
  it.live("is completed once, by parts in order", () =>
    Effect.gen(function* () {
      const { s3 } = yield* serving()
      const { complete, part } = yield* beginUpload(s3, "a")
      const first = yield* part(1, wholePart)
      const second = yield* part(2, lastPart)
      yield* refused(complete([second, first]), 400, "InvalidPartOrder")
      yield* refused(complete([]), 400, "MalformedXML")
      yield* refused(complete([first, { ...second, PartNumber: 3 }]), 400, "InvalidPart")
      yield* refused(complete([first, second], { IfMatch: '"abc"' }), 404, "NoSuchKey")
      yield* refused(complete([first, second], { MpuObjectSize: 7 }), 400, "InvalidRequest")
      yield* refused(part(0, lastPart), 400, "InvalidArgument")
      yield* complete([first, second])
      yield* refused(complete([first, second]), 404, "NoSuchUpload")
    })
  )

  it.live("is held against checksums of its parts and of the whole", () =>
    Effect.gen(function* () {
      const { client, s3 } = yield* serving()
      const composite = yield* beginUpload(s3, "composite", { ChecksumAlgorithm: "CRC32" })
      const parts = [yield* composite.part(1, wholePart), yield* composite.part(2, lastPart)]
      const withoutChecksums = parts.map(({ ETag, PartNumber }) => ({ ETag, PartNumber }))
      yield* refused(composite.complete(withoutChecksums), 400, "InvalidRequest")
      const listed = yield* call(() => client.send(new ListPartsCommand(composite.upload)))
      assert.deepStrictEqual(
        listed.Parts?.map(({ ChecksumCRC32 }) => ChecksumCRC32),
        [crc32Of(wholePart), crc32Of(lastPart)]
      )
      yield* refused(composite.part(3, lastPart, { ChecksumAlgorithm: "SHA256" }), 400, "InvalidRequest")
      yield* composite.complete(parts)
      const { ChecksumCRC32, ChecksumType } = yield* head(s3, "composite", { ChecksumMode: "ENABLED" })
      const digests = Buffer.concat([wholePart, lastPart].map((body) => Buffer.from(crc32Of(body), "base64")))
      assert.deepStrictEqual([ChecksumCRC32, ChecksumType], [`${crc32Of(digests)}-2`, "COMPOSITE"])

      const full = yield* beginUpload(s3, "full", { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" })
      const only = [yield* full.part(1, lastPart)]
      const wrong = { ChecksumType: "FULL_OBJECT", ChecksumCRC32: "AAAAAA==" } as const
      yield* refused(full.complete(only, wrong), 400, "BadDigest")
      yield* full.complete(only, { ChecksumCRC32: crc32Of(lastPart) })
    })
  )

  it.live("is listed page after page until it ends", () =>
    Effect.gen(function* () {
      const { client, s3 } = yield* serving()
      const begun = yield* Effect.forEach(["b", "a", "b"], (key) => beginUpload(s3, key))
      const uploads: Array<string | undefined> = []
      let more: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {}
      while (more !== undefined && uploads.length < 9) {
        const from: object = more
        const page = yield* call(() =>
          client.send(new ListMultipartUploadsCommand({ Bucket: bucket, MaxUploads: 1, ...from }))
        )
        uploads.push(...(page.Uploads ?? []).map(({ UploadId }) => UploadId))
        const { IsTruncated, NextKeyMarker = "", NextUploadIdMarker = "" } = page
        more = IsTruncated ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker } : undefined
      }
      assert.deepStrictEqual(
        uploads,
        [1, 0, 2].map((i) => begun[i]?.upload.UploadId)
      )
      const unknown = { Bucket: bucket, Key: "a", UploadId: begun[0]?.upload.UploadId }
      yield* refused(
        call(() => client.send(new CompleteMultipartUploadCommand({ ...unknown, MultipartUpload: { Parts: [] } }))),
        404,
        "NoSuchUpload"
      )
    })
  )
})
