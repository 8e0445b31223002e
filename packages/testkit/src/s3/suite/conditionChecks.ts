import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { get, head, put, refused, type S3Check } from "./S3UnderCheck.ts"

const staleEtag = '"0123456789abcdef0123456789abcdef"'

/** Writes and reads under a condition. */
export const conditionChecks = {
  "creates with If-None-Match: *": Effect.fnUntraced(function* (s3) {
    yield* put(s3, "c/new", "v1", { IfNoneMatch: "*" })
    assert.strictEqual(String((yield* get(s3, "c/new")).bytes), "v1")
  }),

  "refuses what is there with If-None-Match: *": Effect.fnUntraced(function* (s3) {
    yield* put(s3, "c/new", "v1")
    yield* refused(put(s3, "c/new", "v2", { IfNoneMatch: "*" }), 412, "PreconditionFailed")
    assert.strictEqual(String((yield* get(s3, "c/new")).bytes), "v1")
  }),

  "lets one of eight win with If-None-Match: *": Effect.fnUntraced(function* (s3) {
    const writers = Array.from({ length: 8 }, (_, i) =>
      Effect.isSuccess(put(s3, "c/race", `writer ${i}`, { IfNoneMatch: "*" }))
    )
    const won = yield* Effect.all(writers, { concurrency: 8 })
    const winner = won.indexOf(true)
    assert.deepStrictEqual([won.filter(Boolean).length, winner === won.lastIndexOf(true)], [1, true])
    assert.strictEqual(String((yield* get(s3, "c/race")).bytes), `writer ${winner}`)
  }),

  "writes with If-Match of the right ETag": Effect.fnUntraced(function* (s3) {
    const { ETag } = yield* put(s3, "c/new", "v1")
    yield* put(s3, "c/new", "v2", { IfMatch: ETag })
    assert.strictEqual(String((yield* get(s3, "c/new")).bytes), "v2")
  }),

  "refuses If-Match of a stale ETag": Effect.fnUntraced(function* (s3) {
    yield* put(s3, "c/new", "v1")
    yield* refused(put(s3, "c/new", "v2", { IfMatch: staleEtag }), 412, "PreconditionFailed")
  }),

  "refuses If-Match of a key that is not there": (s3) =>
    refused(put(s3, "c/none", "v", { IfMatch: staleEtag }), 404, "NoSuchKey"),

  "reads ranges, and under a condition": Effect.fnUntraced(function* (s3) {
    yield* put(s3, "c/range", "0123456789abcdef")
    const { bytes, ContentRange } = yield* get(s3, "c/range", { Range: "bytes=10-12" })
    assert.deepStrictEqual([String(bytes), ContentRange], ["abc", "bytes 10-12/16"])
    const { ETag } = yield* head(s3, "c/range")
    yield* refused(get(s3, "c/range", { IfNoneMatch: ETag }), 304)
    yield* refused(get(s3, "c/range", { Range: "bytes=16-" }), 416, "InvalidRange")
  })
} satisfies Record<string, S3Check>
