import { ListObjectsV2Command, type ListObjectsV2CommandInput } from "@aws-sdk/client-s3"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { call, get, put, type S3Check, type S3UnderCheck } from "./S3UnderCheck.ts"

const list = ({ bucket, client }: S3UnderCheck, more: Partial<ListObjectsV2CommandInput>) =>
  Effect.map(
    call(() => client.send(new ListObjectsV2Command({ Bucket: bucket, ...more }))),
    ({ CommonPrefixes = [], Contents = [], NextContinuationToken }) => ({
      keys: Contents.map(({ Key }) => Key),
      prefixes: CommonPrefixes.map(({ Prefix }) => Prefix),
      next: NextContinuationToken
    })
  )

const numbered = Array.from({ length: 25 }, (_, i) => `l/${String(i).padStart(3, "0")}`)

/** Lists of keys. */
export const listingChecks = {
  "lists 25 keys by tens, in order": Effect.fnUntraced(function* (s3) {
    yield* Effect.forEach(numbered.toReversed(), (key) => put(s3, key, "x"))
    const pages: Array<ReadonlyArray<string | undefined>> = []
    let next: string | undefined
    do {
      const page = yield* list(s3, { Prefix: "l/", MaxKeys: 10, ContinuationToken: next })
      pages.push(page.keys)
      next = page.next
    } while (next !== undefined && pages.length < 4)
    assert.deepStrictEqual(pages, [numbered.slice(0, 10), numbered.slice(10, 20), numbered.slice(20)])
  }),

  "lists by a delimiter, and behind a key": Effect.fnUntraced(function* (s3) {
    yield* Effect.forEach(["a/1", "a/2", "b", "c/x/1", ...numbered], (key) => put(s3, key, "x"))
    const { keys, prefixes } = yield* list(s3, { Delimiter: "/" })
    assert.deepStrictEqual([keys, prefixes], [["b"], ["a/", "c/", "l/"]])
    assert.deepStrictEqual((yield* list(s3, { Prefix: "l/", StartAfter: "l/020" })).keys, numbered.slice(21))
  }),

  "takes keys of any characters": Effect.fnUntraced(function* (s3) {
    const key = "dt=2026-05-26/größe a+b&c=%.gz"
    yield* put(s3, key, "x")
    assert.deepStrictEqual((yield* list(s3, { Prefix: "dt=" })).keys, [key])
    assert.strictEqual(String((yield* get(s3, key)).bytes), "x")
  })
} satisfies Record<string, S3Check>
