import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, layer } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { createS3Bucket, s3Server } from "@sluice/testkit/s3"
import { Context, Effect, Layer, Redacted } from "effect"
import { directory, runJson, type Start } from "../../apps/runner/test/Cli.ts"
import { serveDirectory } from "../../apps/runner/test/Site.ts"
import { testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import { objectsOf } from "../../packages/sink-s3/test/Bucket.ts"
import { readByArrow } from "../../packages/sink-s3/test/readByArrow.ts"
import { filesOf, readLake } from "../../packages/sink-s3/test/readLake.ts"
import { assertCompleted, countRows, readPages } from "./Crawled.ts"
import { assertSameRows, viewedBy } from "./lakeRows.ts"
import { type ExpectedPage, manualDirectory, walkSite } from "./Manual.ts"

/** The manual on loopback, and what an independent walk over its files finds. */
class Manual extends Context.Service<
  Manual,
  { readonly seed: string; readonly expected: ReadonlyMap<string, ExpectedPage> }
>()("@sluice/test/e2e/Manual") {
  static readonly layer: Layer.Layer<Manual> = Layer.effect(
    this,
    Effect.gen(function* () {
      const seed = `${yield* serveDirectory(manualDirectory)}/index.html`
      return { seed, expected: walkSite(manualDirectory, seed) }
    })
  )
}

const isThere = existsSync(join(manualDirectory, "index.html"))

/** A working directory with the pipeline that crawls all of the manual. */
const setUp = Effect.fnUntraced(function* (sinks: ReadonlyArray<string>, env: Readonly<Record<string, string>>) {
  const { seed } = yield* Manual
  const cwd = yield* directory
  writeFileSync(
    join(cwd, "sluice.yaml"),
    `name: manual
source:
  crawl: { url: "${seed}", depth: 10, limit: 10000, formats: [markdown] }
sinks:
${sinks.map((sink) => `  - ${sink}\n`).join("")}embedded: { allow_private_targets: true, host_delay_ms: 0, host_concurrency: 8 }
`
  )
  const options: Start = { cwd, env }
  return options
})

const crawl = (options: Start) => runJson<Receipt>(["run", "sluice.yaml", "--json"], options)

/** Asserts that the tables hold the manual, page by page and link by link, and that the receipt says so. */
const assertManualLanded = Effect.fnUntraced(function* (receipt: Receipt, options: Start, runs: number) {
  const { expected, seed } = yield* Manual
  const linkCount = [...expected.values()].reduce((sum, { links }) => sum + links.length, 0)
  assertCompleted(receipt)
  assert.strictEqual(receipt.pages.completed, expected.size)
  assert.strictEqual(receipt.tokens.charged, expected.size)
  assert.deepStrictEqual(
    receipt.jobs.map(({ kind, status, url }) => ({ kind, status, url })),
    [{ kind: "crawl", status: "completed", url: seed }]
  )
  const rows = { pages: expected.size, links: linkCount, page_metadata: expected.size }
  for (const sink of receipt.sinks) {
    assert.deepInclude(sink, { rows: { ...rows, token_summaries: 1 }, dead_letters: 0 })
  }
  assert.deepStrictEqual(yield* countRows(options), { ...rows, token_summaries: runs })

  const landed = yield* readPages(options)
  assert.sameMembers(
    landed.map(({ url }) => url),
    [...expected.keys()]
  )
  for (const page of landed) {
    const { depth, links, status, tokens, url } = page
    assert.deepStrictEqual({ url, depth, status, links }, expected.get(url))
    assert.strictEqual(tokens, 1, url)
    assert.isAbove(page.characters ?? 0, 0, url)
  }
})

if (!isThere) {
  process.stderr.write(`Not crawling the PostgreSQL manual: ${manualDirectory} is absent; install postgresql-doc-15.\n`)
}

describe.skipIf(!isThere)("the PostgreSQL manual", () => {
  layer(Manual.layer, { excludeTestServices: true })((it) => {
    it.effect("has the pages its package has", () =>
      Effect.gen(function* () {
        const { expected } = yield* Manual
        assert.isAbove(expected.size, 1000)
        assert.isTrue([...expected.values()].every(({ status }) => status === "completed"))
      })
    )

    // A server takes the same pages below.
    if (process.env.SLUICE_LONG_TESTS !== undefined)
      it.effect(
        "is crawled completely into PGlite",
        () =>
          Effect.gen(function* () {
            const options = yield* setUp(["postgres: {}"], {})
            yield* assertManualLanded(yield* crawl(options), options, 1)
          }),
        300_000
      )

    it.effect(
      "is crawled completely into Postgres, a bucket and directories, row by row the same; the soak crawls it again, which duplicates nothing",
      () =>
        Effect.gen(function* () {
          const database = yield* testDatabase()
          const server = yield* s3Server
          const bucket = yield* createS3Bucket(server)
          const { endpoint, region } = server
          const options = yield* setUp(
            [
              "postgres: { url: $DATABASE_URL, mode: merge }",
              `s3: { bucket: ${bucket}, prefix: "größe a+b/", endpoint: "${endpoint}", region: ${region}, access_key_id: $KEY, secret_access_key: $SECRET }`,
              "directory: { path: lines, name: lines, compression: zstd }",
              "directory: { path: columns, name: columns, format: parquet }"
            ],
            {
              DATABASE_URL: database.url,
              KEY: server.accessKeyId,
              SECRET: Redacted.value(server.secretAccessKey)
            }
          )
          const first = yield* crawl(options)
          yield* assertManualLanded(first, options, 1)
          const [nonAscii] = yield* runJson<ReadonlyArray<{ pages: number }>>(
            ["query", "--json", "SELECT count(*) AS pages FROM pages WHERE octet_length(markdown) > length(markdown)"],
            options
          )
          assert.isAbove(nonAscii?.pages ?? 0, 100)
          const objects = yield* objectsOf(server, bucket)
          const columns = filesOf(join(options.cwd, "columns"))
          yield* assertSameRows(options, {
            "JSON Lines of the bucket": yield* Effect.promise(() => readLake(objects, "manual")),
            "DuckDB, JSON Lines": yield* viewedBy(options, "lines"),
            "DuckDB, Parquet": yield* viewedBy(options, "columns"),
            "Arrow, Parquet": yield* Effect.promise(() => readLake(columns, "manual", readByArrow))
          })
          if (process.env.SLUICE_LONG_TESTS === undefined) return
          const second = yield* crawl(options)
          yield* assertManualLanded(second, options, 2)
          assert.notStrictEqual(second.run_id, first.run_id)
          assert.strictEqual(second.config_hash, first.config_hash)
        }),
      300_000
    )
  })
})
