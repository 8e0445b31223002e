import { writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Effect } from "effect"
import { assertRefused, canary, directory, run, runJson } from "./Cli.ts"
import { page, servePages } from "./Site.ts"
import { dump, testDatabase } from "./TestDatabase.ts"

const refusal = { code: "VALIDATION_ERROR", message: "Refused", correlation_id: "c", retryable: false }
const noJobs = { jobs: [], page: 1, page_size: 100, page_count: 0 }

/** An API that counts submissions, knows no job and refuses each: a run that should not have begun ends at once. */
const countingApi = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly posts: () => number; readonly close: () => void }>((resume) => {
    let posts = 0
    const server = createServer((request, response) => {
      const isSubmission = request.method === "POST"
      if (isSubmission) posts++
      response.writeHead(isSubmission ? 422 : 200, { "content-type": "application/json" })
      response.end(JSON.stringify(isSubmission ? refusal : noJobs))
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, posts: () => posts, close: () => void server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const setUp = Effect.fnUntraced(function* (databaseUrl: string, sink = "mode: replace") {
  const cwd = yield* directory
  const api = yield* countingApi
  writeFileSync(
    join(cwd, "sluice.yaml"),
    `name: docs
source:
  crawl: { url: https://docs.example/ }
sinks:
  - postgres: { url: $DATABASE_URL, ${sink} }
`
  )
  const env = { DATABASE_URL: databaseUrl, SCRAPER_API_BASE_URL: api.url, GEONODE_SCRAPER_API_KEY: canary.apiKey }
  return { options: { cwd, env }, posts: api.posts }
})

/** Runs against a database that somebody has touched, and proves what is said, that nothing was asked for and nothing changed. */
const refusedRun = Effect.fnUntraced(function* (
  touch: (names: { readonly role: string; readonly database: string }) => ReadonlyArray<string>,
  code: number,
  says: string | RegExp
) {
  const database = yield* testDatabase()
  const url = new URL(database.url)
  const { options, posts } = yield* setUp(database.url)
  assert.strictEqual((yield* run(["migrate"], options)).code, 0)
  for (const sql of touch({ role: url.username, database: url.pathname.slice(1) })) yield* database.rows(sql)
  const before = yield* dump(database)
  assertRefused(yield* run(["run"], options), code, says)
  assert.strictEqual(posts(), 0)
  assert.deepStrictEqual(yield* dump(database), before)
}, Effect.scoped)

describe("a database that cannot take a run", { concurrent: true }, () => {
  const cases: ReadonlyArray<readonly [name: string, ...Parameters<typeof refusedRun>]> = [
    [
      "has a constraint that no page meets",
      () => ["ALTER TABLE pages ADD CONSTRAINT no_pages CHECK (length(url) < 5)"],
      1,
      /^sluice: sink "postgres": no page of this pipeline would be taken: new row for relation "pages" violates check constraint "no_pages" \(SQLSTATE 23514\)$/
    ],
    [
      "has a trigger that raises",
      () => [
        `CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           RAISE EXCEPTION 'The warehouse is closed.' USING HINT = 'Ask Dana.'; END $$`,
        "CREATE TRIGGER closed BEFORE INSERT ON pages FOR EACH ROW EXECUTE FUNCTION closed()"
      ],
      1,
      /no page of this pipeline would be taken: the function closed said: The warehouse is closed\. \(hint: Ask Dana\.\)/
    ],
    [
      "has a renamed column",
      () => ["ALTER TABLE pages RENAME COLUMN markdown TO content"],
      1,
      /the column "markdown" of the table "pages" is missing; was it renamed to "content"\?$/
    ],
    [
      "lets nobody make temporary tables",
      ({ database, role }) => [
        `REVOKE TEMPORARY ON DATABASE ${database} FROM PUBLIC`,
        `ALTER DATABASE ${database} OWNER TO CURRENT_USER`,
        `REVOKE TEMPORARY ON DATABASE ${database} FROM ${role}`
      ],
      1,
      /permission denied to create temporary tables in database .*; pages that may be there already .* grant the role TEMPORARY on the database$/
    ],
    [
      "takes no writes from the role",
      ({ role }) => [`ALTER ROLE ${role} SET default_transaction_read_only = on`],
      1,
      /default_transaction_read_only is on for the role "sluice_[0-9a-f]+", the database or the server, so nothing can be written/
    ],
    [
      "ends statements too soon",
      ({ role }) => [
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NEW; END $$",
        "CREATE TRIGGER slow BEFORE INSERT ON pages FOR EACH ROW EXECUTE FUNCTION slow()",
        `ALTER ROLE ${role} SET statement_timeout = '1s'`
      ],
      1,
      /the server's setting statement_timeout ended it; raise it for the role/
    ],
    [
      "has no room for a run's connections",
      ({ role }) => [`ALTER ROLE ${role} CONNECTION LIMIT 2`],
      1,
      /too many connections for role "sluice_[0-9a-f]+" \(at [\w.]+:\d+\); a run takes up to 4 connections$/
    ]
  ]
  for (const [name, ...rest] of cases) {
    it.live(`${name}: refused, with nothing paid and nothing changed`, () => refusedRun(...rest), 180_000)
  }

  it.live(
    "has an encoding that cannot hold every page: exit 2",
    () =>
      Effect.gen(function* () {
        const { url } = yield* testDatabase({
          owned: false,
          settings: "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
        })
        const name = new URL(url).pathname.slice(1)
        const { options, posts } = yield* setUp(url)
        const says = new RegExp(`the database "${name}" has the encoding LATIN1, which cannot hold every page`)
        for (const args of [["run"], ["migrate"], ["runs"], ["query", "SELECT 1"]]) {
          assertRefused(yield* run(args, options), 2, says)
        }
        assert.strictEqual(posts(), 0)
      }),
    180_000
  )

  it.live(
    "is named by a url or a schema that is none: exit 2 at validate, without the password",
    () =>
      Effect.gen(function* () {
        const good = "postgres://me:x@db.example/crawls"
        for (const [url, sink, says] of [
          [
            `mysql://me:${canary.password}@db.example/crawls`,
            "name: a",
            /sinks\.0\.postgres\.url: .*is an address of "mysql"/
          ],
          [
            `postgres://me:${canary.password}@db.example:port/crawls`,
            "name: a",
            /sinks\.0\.postgres\.url: .*port of digits/
          ],
          [
            `postgres://me:${canary.password}@db.example/crawls?sslmode=on`,
            "name: a",
            /sinks\.0\.postgres\.url: .*none of disable/
          ],
          [good, `schema: ${"ü".repeat(32)}`, /sinks\.0\.postgres\.schema: .*at most 63 bytes.*64/],
          [good, "schema: information_schema", /sinks\.0\.postgres\.schema: .*belongs to the server/],
          [good, "schema: pg_pages", /sinks\.0\.postgres\.schema: .*belong to the server/]
        ] as const) {
          const { options, posts } = yield* setUp(url, sink)
          for (const command of ["validate", "run"]) assertRefused(yield* run([command], options), 2, says)
          assert.strictEqual(posts(), 0)
        }
      }),
    180_000
  )
})

describe("a BEFORE trigger that drops rows", () => {
  it.live(
    "makes a receipt that the tables and the audit agree with",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase()
        const site = yield* servePages({ "/": page("home", "/a", "/b"), "/a": page("a", "/"), "/b": page("b", "/a") })
        const cwd = yield* directory
        writeFileSync(
          join(cwd, "sluice.yaml"),
          `name: site
source:
  crawl: { url: "${site}/", depth: 3 }
sinks:
  - postgres: { url: $DATABASE_URL }
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`
        )
        const options = { cwd, env: { DATABASE_URL: database.url } }
        assert.strictEqual((yield* run(["migrate"], options)).code, 0)
        yield* database.rows(`CREATE FUNCTION drop_some() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.url LIKE '%/b' THEN RETURN NULL; END IF; RETURN NEW; END $$`)
        yield* database.rows(
          "CREATE TRIGGER drop_some BEFORE INSERT ON pages FOR EACH ROW EXECUTE FUNCTION drop_some()"
        )
        for (let round = 0; round < 2; round++) {
          const receipt = yield* runJson<Receipt>(["run", "--json"], options)
          assert.strictEqual(receipt.pages.completed, 3)
          assert.deepInclude(receipt.sinks[0]?.rows, { pages: 2, links: 3, page_metadata: 2 })
          assert.deepStrictEqual(yield* database.rows("SELECT count(*) AS pages FROM pages"), [{ pages: 2 }])
          const audited = yield* run(["audit", receipt.run_id], options)
          assert.strictEqual(audited.code, 0, audited.stdout + audited.stderr)
        }
      }),
    180_000
  )
})
