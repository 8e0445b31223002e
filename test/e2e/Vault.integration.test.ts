import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { createS3Bucket, type S3Endpoint, S3Server } from "@sluice/testkit/s3"
import { Deferred, Effect, Redacted } from "effect"
import { assertRefused, canary, directory, run, runJson } from "../../apps/runner/test/Cli.ts"
import { page, serveHttp } from "../../apps/runner/test/Site.ts"
import { type TestDatabase, testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import { everyObject } from "../../packages/sink-s3/test/Bucket.ts"
import { assertCompleted } from "./Crawled.ts"
import { switchable } from "./switchable.ts"

const names = Array.from({ length: 25 }, (_, index) => `/page-${index}`)
const pages: Readonly<Record<string, string>> = {
  "/": page("home: größe, 漢字, 😀", ...names, "/gone"),
  ...Object.fromEntries(names.map((name) => [name, page(name, "/", `https://elsewhere.example${name}?q=ü`)]))
}

/** A site, and when it was first asked. */
const serveSite = Effect.gen(function* () {
  const asked = yield* Deferred.make<void>()
  let requests = 0
  const site = yield* serveHttp((request, response) => {
    requests++
    Deferred.doneUnsafe(asked, Effect.void)
    const html = pages[request.url ?? ""]
    if (html === undefined) response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not found</h1>")
    else response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html)
  })
  return { site, asked, requests: () => requests }
})

const s3 = Effect.gen(function* () {
  const server = yield* S3Server.make()
  return { server, bucket: yield* createS3Bucket(server) }
})

const pipeline = (site: string, server: S3Endpoint, bucket: string, more = "") => `name: lake
source:
  crawl: { url: "${site}/", depth: 2, limit: 100 }
sinks:
  - postgres: { url: $DATABASE_URL }
  - s3:
      bucket: ${bucket}
      endpoint: ${server.endpoint}
      region: ${server.region}
      access_key_id: $KEY
      secret_access_key: $SECRET
      format: parquet
${more}embedded: { allow_private_targets: true, host_delay_ms: 0 }
`

/**
 * Rows as they are, but for when they landed and who held their run. Jobs and sets go by their place among their like: the
 * numbers come from sequences, which trial loads and repeated writes move on.
 */
const rowsIn = Effect.fnUntraced(function* (database: TestDatabase) {
  const tables = yield* database.rows<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`
  )
  const numbers = (table: string, column: string) =>
    Effect.map(database.rows<{ n: number }>(`SELECT ${column} AS n FROM ${table} ORDER BY 1`), (rows) =>
      rows.map(({ n }) => Number(n))
    )
  const known = {
    job_no: yield* numbers("jobs", "job_no"),
    set_no: yield* numbers("page_sets", "set_no")
  }
  const placed = (row: string) =>
    row.replaceAll(/"(job_no|set_no)": (\d+)/g, (_, column: keyof typeof known, number: string) => {
      const place = known[column].indexOf(Number(number))
      assert.isAtLeast(place, 0, `no such ${column}: ${row}`)
      return `"${column}": ${place + 1}`
    })
  return yield* Effect.forEach(
    tables.filter(({ name }) => !name.includes("migrations")),
    ({ name }) =>
      Effect.map(
        database.rows<{ row: string }>(
          `SELECT (to_jsonb(t) - '{landed_at,first_seen_at,committed_at,session}'::text[])::text AS row FROM "${name}" t`
        ),
        (rows) => ({ name, rows: rows.map(({ row }) => placed(row)).sort() })
      )
  )
})

describe("several sinks of which one is down for the whole crawl", () => {
  it.live(
    "complete without it, and it catches up afterwards without a request to the API",
    () =>
      Effect.gen(function* () {
        const { asked, requests, site } = yield* serveSite
        const database = yield* testDatabase()
        const { bucket, server } = yield* s3
        const way = yield* switchable(server.endpoint)
        const cwd = yield* directory
        writeFileSync(join(cwd, "sluice.yaml"), pipeline(site, { ...server, endpoint: way.endpoint }, bucket))
        const options = {
          cwd,
          env: {
            DATABASE_URL: database.url,
            KEY: server.accessKeyId,
            SECRET: Redacted.value(server.secretAccessKey)
          }
        }
        yield* Effect.forkChild(
          Effect.andThen(
            Deferred.await(asked),
            Effect.sync(() => way.turn(true))
          )
        )
        const first = yield* run(["run", "--json"], options)
        assert.strictEqual(first.code, 1)
        assert.include(first.stderr, 'sink "s3" cannot be reached')
        const failed = JSON.parse(first.stdout) as Receipt
        assert.deepStrictEqual(
          failed.sinks.map(({ name, rows }) => [name, rows.pages]),
          [
            ["postgres", 27],
            ["s3", 0]
          ]
        )
        const [count] = yield* database.rows<{ n: string }>("SELECT count(*) AS n FROM pages")
        assert.strictEqual(Number(count?.n), 27)

        way.turn(false)
        const before = requests()
        const receipt = yield* runJson<Receipt>(["run", "--json"], options)
        assertCompleted(receipt)
        assert.strictEqual(receipt.run_id, failed.run_id)
        assert.deepStrictEqual(receipt.requests, { submitted: 0, reads: 0, retries: 0 })
        assert.strictEqual(requests(), before)
        assert.deepStrictEqual(receipt.sinks[1]?.rows, receipt.sinks[0]?.rows)
        assert.isNotEmpty(
          [...(yield* everyObject(server, bucket)).keys()].filter((key) => key.includes("dataset=pages"))
        )
      }),
    120_000
  )
})

describe("a pipeline with a vault", () => {
  it.live(
    "is landed again from it after everything else is lost: same rows, same objects, no request",
    () =>
      Effect.gen(function* () {
        const { site } = yield* serveSite
        const cwd = yield* directory
        const vault = `  - directory: { mode: replace }
vault: { directory: { path: kept } }
`
        const first = { database: yield* testDatabase(), ...(yield* s3) }
        const write = ({ bucket, server }: typeof first) =>
          writeFileSync(join(cwd, "sluice.yaml"), pipeline(site, server, bucket, vault))
        const optionsOf = ({ database, server }: typeof first) => ({
          cwd,
          alone: true,
          env: {
            DATABASE_URL: database.url,
            KEY: server.accessKeyId,
            SECRET: Redacted.value(server.secretAccessKey),
            // Nothing listens there, and a key that is not one: whoever asks fails.
            SCRAPER_API_BASE_URL: "http://127.0.0.1:1",
            GEONODE_SCRAPER_API_KEY: canary.apiKey
          }
        })
        write(first)
        const { GEONODE_SCRAPER_API_KEY: _, SCRAPER_API_BASE_URL: __, ...env } = optionsOf(first).env
        const runs: Array<Receipt> = []
        for (let n = 0; n < 2; n++) runs.push(yield* runJson<Receipt>(["run", "--json"], { cwd, env }))
        for (const receipt of runs) assertCompleted(receipt)

        rmSync(join(cwd, ".sluice/lake"), { recursive: true })
        const second = { database: yield* testDatabase(), ...(yield* s3) }
        write(second)
        const replayed = yield* run(["replay", "--json"], optionsOf(second))
        assert.strictEqual(replayed.code, 0, replayed.stderr)
        const results = replayed.stdout
          .trim()
          .split("\n")
          .map(
            (line) =>
              JSON.parse(line) as { readonly run_id: string; readonly result: string; readonly receipt: Receipt }
          )
        assert.deepStrictEqual(
          results,
          runs.map((receipt) => ({ run_id: receipt.run_id, result: "loaded", receipt }))
        )
        assert.deepStrictEqual(yield* rowsIn(second.database), yield* rowsIn(first.database))
        assert.deepStrictEqual(
          yield* everyObject(second.server, second.bucket),
          yield* everyObject(first.server, first.bucket)
        )
        const again = yield* run(["replay"], optionsOf(second))
        assert.deepStrictEqual(
          [again.code, again.stdout],
          [0, runs.map(({ run_id }) => `run ${run_id} is complete in every sink\n`).join("")]
        )

        assertRefused(
          yield* run(["replay", "--again", "lake"], optionsOf(second)),
          2,
          "--again lake: sluice.yaml has no such sink (known: postgres, s3, directory)"
        )
        assertRefused(
          yield* run(["replay", "--from", "other"], optionsOf(second)),
          2,
          'the vault holds no run of pipeline "other"'
        )
        writeFileSync(join(cwd, "none.yaml"), pipeline(site, second.server, second.bucket))
        assertRefused(
          yield* run(["replay", "none.yaml"], optionsOf(second)),
          2,
          "none.yaml has no vault: add the one its runs were kept in"
        )
      }),
    180_000
  )
})
