import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { S3 } from "@sluice/sink-s3"
import { sampleRecord, startRun } from "@sluice/testkit"
import type { S3Endpoint } from "@sluice/testkit/s3"
import { Effect, Redacted, type Scope } from "effect"
import { startFauxqs } from "fauxqs"
import S3rver from "s3rver"
import { bucketOn } from "./Bucket.ts"
import { landed } from "./readLake.ts"

const endpointOf = (label: string, port: number, key: string): S3Endpoint => ({
  endpoint: `http://127.0.0.1:${port}`,
  region: "us-east-1",
  accessKeyId: key,
  secretAccessKey: Redacted.make(key),
  label
})

const fauxqs: Effect.Effect<S3Endpoint, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => startFauxqs({ port: 0, logger: false })),
  (server) => Effect.promise(() => server.stop())
).pipe(Effect.map(({ port }) => endpointOf("fauxqs", port, "test")))

const s3rver: Effect.Effect<S3Endpoint, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(async () => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-s3rver-"))
    const server = new S3rver({ port: 0, address: "127.0.0.1", silent: true, directory })
    const { port } = await server.run()
    return { directory, server, port }
  }),
  ({ directory, server }) =>
    Effect.promise(async () => {
      await server.close()
      rmSync(directory, { recursive: true, force: true })
    })
).pipe(Effect.map(({ port }) => endpointOf("s3rver", port, "S3RVER")))

const records = Array.from({ length: 5 }, (_, at) => sampleRecord(`https://a.example/${at}`))
/** One that goes in pieces, and is larger than one of these stores takes in a request. */
const large = [
  sampleRecord("https://a.example/large", {
    markdown: Array.from({ length: 40 }, (_, at) => Buffer.alloc(512 * 1024, `${at}x`).toString("latin1")).join("")
  })
]

// Both ignore conditions. s3rver cannot end an upload and lists none; fauxqs takes no request of 16 MiB.
for (const [name, store] of [
  ["fauxqs", fauxqs],
  ["s3rver", s3rver]
] as const)
  describe(`the store ${name}`, () => {
    it.live(
      "is refused in the words about conditional writes, and with none of them serves a run, again, and gc",
      () =>
        Effect.gen(function* () {
          const { options, read } = yield* bucketOn(yield* store)
          const given = { ...options, prefix: "lake/", compression: "none" } as const
          const refused = yield* Effect.flip(Effect.scoped(S3.sink(given).connect))
          assert.strictEqual(refused.reason._tag, "SinkMisconfigured")
          assert.match(
            refused.message,
            /does not keep conditional writes \(If-None-Match\).*set conditional_writes: none where one process at a time writes$/
          )
          const told = { ...options, compression: "none", conditional_writes: "none" } as const
          const sink = S3.sink(told)
          const { publish, write } = yield* startRun(sink, yield* sink.connect)
          for (let again = 0; again < 2; again++) {
            yield* write(0, records)
            yield* write(1, large)
            yield* publish
          }
          assert.lengthOf((yield* landed(read)).pages, records.length + large.length)
          const collect = S3.collectGarbage(told, {
            pipeline: "suite",
            olderThan: 0,
            isKept: () => Effect.succeed(false)
          })
          // The notes of a run that has ended; readers keep all that they see.
          assert.deepStrictEqual(yield* collect, { objects: 2, uploads: 0 })
          assert.deepStrictEqual(yield* collect, { objects: 0, uploads: 0 })
          assert.lengthOf((yield* landed(read)).pages, records.length + large.length)
        }),
      240_000
    )
  })
