import { assert, describe, it } from "@effect/vitest"
import { S3 } from "@sluice/sink-s3"
import { sampleRecord, startRun } from "@sluice/testkit"
import { S3Server } from "@sluice/testkit/s3"
import { Effect } from "effect"
import { bucketOn } from "../Bucket.ts"
import { readLake } from "../readLake.ts"
import { literalsOf } from "./literals.ts"

const secretKey = "canary-secret-access-key-77b0d2"

describe("statements over a bucket", () => {
  it.live("name just the parts the manifests list, hold no secret, and cost nothing but reads", () =>
    Effect.gen(function* () {
      const server = yield* S3Server.make({ accessKeyId: "canary-access-key", secretAccessKey: secretKey })
      const { options, read } = yield* bucketOn(server)
      const sink = S3.sink(options)
      const { publish, write } = yield* startRun(sink, yield* sink.connect)
      yield* write(1, [sampleRecord("https://a.example/1")])
      yield* publish
      const orphans = yield* startRun(sink, yield* sink.connect, { startedAt: 1_750_000_009_000 })
      yield* orphans.write(1, [sampleRecord("https://a.example/2")])

      const { runs } = yield* Effect.promise(() => readLake(read, "suite"))
      const manifest = JSON.parse(Buffer.from((yield* Effect.promise(() => read(runs[0]!.manifest)))!).toString())
      const keys: ReadonlyArray<string> = manifest.parts.map(({ key }: { readonly key: string }) => key).toSorted()
      assert.lengthOf(keys, 4)

      const before = server.requests.length
      const asked = { pipeline: "suite" } as const
      const duck = yield* S3.loadStatements(options, { ...asked, engine: "duckdb" })
      const snow = yield* S3.loadStatements(options, { ...asked, engine: "snowflake" })
      const calls = new Set(server.requests.slice(before).map(({ operation }) => operation))
      assert.deepStrictEqual([...calls], ["GetObject"])

      const below = `s3://${options.bucket}/${options.prefix}`
      const files = literalsOf(duck, "doubled").filter((value) => value.endsWith(".jsonl.gz"))
      assert.deepStrictEqual(
        files.toSorted(),
        keys.map((key) => `${below}${key}`)
      )
      assert.include(duck, `ENDPOINT '${new URL(server.endpoint).host}'`)
      assert.include(duck, "USE_SSL false")
      assert.include(duck, "URL_STYLE 'path'")
      const staged = literalsOf(snow, "either").filter((value) => value.endsWith(".jsonl.gz"))
      assert.deepStrictEqual(staged.toSorted(), keys)
      for (const text of [duck, snow]) {
        assert.notInclude(text, secretKey)
        assert.notInclude(text, "canary-access-key")
      }
      const refused = yield* Effect.flip(S3.redshiftManifest(options, { ...asked, name: "pages" }))
      assert.include(refused.message, "Redshift reads buckets of Amazon S3 alone")
      const nothing = yield* Effect.flip(S3.loadStatements(options, { engine: "duckdb", pipeline: "other" }))
      assert.strictEqual(nothing.message, `no run of pipeline "other" has been published in ${below}: run it first`)
    })
  )
})
