import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { createS3Bucket, s3Server } from "@sluice/testkit/s3"
import { Deferred, Effect, Redacted } from "effect"
import { directory, runJson, start } from "../../apps/runner/test/Cli.ts"
import { page, serveHttp } from "../../apps/runner/test/Site.ts"
import { objectsOf } from "../../packages/sink-s3/test/Bucket.ts"
import { filesOf, readLake } from "../../packages/sink-s3/test/readLake.ts"
import { assertCompleted } from "./Crawled.ts"

const names = Array.from({ length: 20 }, (_, index) => `/page-${index}`)
const pages: Readonly<Record<string, string>> = {
  "/": page("home: größe, 漢字, 😀", ...names, "/gone"),
  ...Object.fromEntries(names.map((name) => [name, page(name, "/", `https://elsewhere.example${name}?q=ü`)]))
}

describe("a pipeline into a bucket and a directory", () => {
  it.live(
    "is gone on with where it was killed, pays once, and lands the same rows in both",
    () =>
      Effect.gen(function* () {
        const server = yield* s3Server
        const bucket = yield* createS3Bucket(server)
        const served = yield* Deferred.make<void>()
        let requests = 0
        const site = yield* serveHttp((request, response) => {
          const html = pages[request.url ?? ""]
          if (++requests === 10) Deferred.doneUnsafe(served, Effect.void)
          if (html === undefined) response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not found</h1>")
          else response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html)
        })
        const cwd = yield* directory
        writeFileSync(
          join(cwd, "sluice.yaml"),
          `name: lake
source:
  crawl: { url: "${site}/", depth: 2, limit: 100 }
sinks:
  - s3:
      bucket: ${bucket}
      prefix: größe a+b/
      endpoint: ${server.endpoint}
      region: ${server.region}
      access_key_id: $KEY
      secret_access_key: $SECRET
      format: parquet
  - directory: {}
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`
        )
        const options = {
          cwd,
          env: { KEY: server.accessKeyId, SECRET: Redacted.value(server.secretAccessKey) }
        }
        yield* Effect.scoped(
          Effect.gen(function* () {
            const running = yield* start(["run", "--json"], options)
            yield* Deferred.await(served)
            running.signal("SIGKILL")
            yield* running.finished
          })
        )
        const read = yield* objectsOf(server, bucket)
        const lakes = Effect.promise(() =>
          Promise.all([readLake(read, "lake"), readLake(filesOf(join(cwd, ".sluice/lake")), "lake")])
        )
        for (const lake of yield* lakes) assert.lengthOf(lake.runs, 0)
        const receipt = yield* runJson<Receipt>(["run", "--json"], options)
        assertCompleted(receipt)
        assert.strictEqual(receipt.requests.submitted, 0)
        const [objects, files] = yield* lakes
        for (const dataset of ["pages", "links", "page_metadata", "token_summaries"]) {
          const inOrder = (rows: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
            rows.map((row) => JSON.stringify(row)).toSorted()
          assert.isNotEmpty(objects.rows(dataset))
          assert.deepStrictEqual(inOrder(objects.rows(dataset)), inOrder(files.rows(dataset)))
        }
        assert.lengthOf(objects.rows("pages"), receipt.pages.delivered)
        const { objects: removed } = yield* runJson<{ objects: number }>(
          ["gc", "--older-than-hours", "0", "--json"],
          options
        )
        assert.isAtLeast(removed, 2)
        const [after] = yield* lakes
        assert.deepStrictEqual(after.rows("links"), objects.rows("links"))
      }),
    120_000
  )
})
