import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { S3 } from "@sluice/sink-s3"
import { sampleRecord, startRun } from "@sluice/testkit"
import { type S3Endpoint, S3Server } from "@sluice/testkit/s3"
import { Effect, Redacted, type Scope } from "effect"
import { startFauxqs } from "fauxqs"
import S3rver from "s3rver"
import { hasSwift, startSwift, swiftPackages } from "../../testkit/src/s3/SwiftServer.ts"
import { bucketOn } from "./Bucket.ts"
import { landed } from "./readLake.ts"
import { storeCourse } from "./storeCourse.ts"

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

const swift: Effect.Effect<S3Endpoint, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(startSwift),
  ({ stop }) => Effect.promise(stop)
)

const why = (await hasSwift()) ? undefined : `swift-* of Debian is not installed (${swiftPackages})`

// fauxqs and s3rver ignore conditions, Swift answers 501 or ignores them. s3rver cannot end an upload and lists none; fauxqs takes no
// request of 16 MiB; Swift wants a Content-MD5 for a deletion of many.
const stores = [
  { name: "fauxqs", store: fauxqs },
  { name: "s3rver", store: s3rver },
  { name: "OpenStack Swift", store: swift, why }
]

for (const { name, store, why } of stores)
  describe(`the store ${name}${why === undefined ? "" : `, skipped since ${why}`}`, { skip: why !== undefined }, () => {
    it.live(
      "is refused in the words about conditional writes, and with none of them serves runs, audits, objects in pieces, and gc",
      () =>
        Effect.gen(function* () {
          const endpoint = yield* store
          const { options, read } = yield* bucketOn(endpoint)
          const given = { ...options, prefix: "lake/", compression: "none" } as const
          const refused = yield* Effect.flip(Effect.scoped(S3.sink(given).connect))
          assert.strictEqual(refused.reason._tag, "SinkMisconfigured")
          assert.match(
            refused.message,
            /does not keep conditional writes \(If-None-Match\).*set conditional_writes: none where one process at a time writes$/
          )
          const told = { ...options, compression: "none", conditional_writes: "none" } as const
          yield* storeCourse(told, read)

          const sink = S3.sink(told)
          const { publish, write } = yield* startRun(sink, yield* sink.connect)
          for (let again = 0; again < 2; again++) {
            yield* write(1, records)
            yield* write(2, large)
            yield* write(
              3,
              records.map((record) => ({ ...record, jobId: "job-2" }))
            )
            yield* publish
          }
          assert.lengthOf((yield* landed(read)).pages, 2 * records.length + large.length)
          const collect = S3.collectGarbage(told, {
            pipeline: "suite",
            olderThan: -60_000,
            isKept: () => Effect.succeed(false)
          })
          // The notes of a run that has ended, three of segments and one of those that were gathered; readers keep all that they see.
          assert.deepStrictEqual(yield* collect, { objects: 4, uploads: 0 })
          assert.deepStrictEqual(yield* collect, { objects: 0, uploads: 0 })
          assert.lengthOf((yield* landed(read)).pages, 2 * records.length + large.length)
        }),
      240_000
    )
  })

describe("a strict store", () => {
  it.live("serves runs, audits and gc", () =>
    Effect.gen(function* () {
      const { options, read } = yield* bucketOn(yield* S3Server.make())
      yield* storeCourse(options, read)
    })
  )
})
