import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assertNoCanaryIn, assertRefused, canary, directory, filesIn, run } from "./Cli.ts"
import { closedPort } from "./Site.ts"
import { dump, testDatabase } from "./TestDatabase.ts"

const pipeline = `name: quotes
source:
  crawl: { url: https://quotes.example/ }
sinks:
  - postgres: { url: $DATABASE_URL }
`

/** A working directory with a pipeline whose API cannot be reached: a run that gets so far has gone too far. */
const setUp = Effect.fnUntraced(function* (databaseUrl: string) {
  const cwd = yield* directory
  writeFileSync(join(cwd, "sluice.yaml"), pipeline)
  const env = {
    SCRAPER_API_BASE_URL: `http://127.0.0.1:${yield* closedPort}`,
    GEONODE_SCRAPER_API_KEY: canary.apiKey,
    DATABASE_URL: databaseUrl
  }
  return { cwd, env }
})

/** Asserts that commands are refused, quietly and at every log level, and leave nothing behind. */
const assertAllRefused = Effect.fnUntraced(function* (
  databaseUrl: string,
  refusals: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: string]>
) {
  const options = yield* setUp(databaseUrl)
  for (const [args, says] of refusals) assertRefused(yield* run(args, options), 1, says)
  const loud = yield* run(["run", "--log-level", "all"], options)
  assert.strictEqual(loud.stdout, "")
  assert.strictEqual(loud.code, 1)
  assert.deepStrictEqual(filesIn(options.cwd), ["sluice.yaml"])
  assertNoCanaryIn(options.cwd)
})

const altered = (url: string, change: (url: URL) => void): string => {
  const copy = new URL(url)
  change(copy)
  return copy.href
}

describe("a Postgres that", { concurrent: true }, () => {
  it.live(
    "is down",
    () =>
      Effect.gen(function* () {
        const server = `127.0.0.1:${yield* closedPort}`
        const url = `postgres://me:${canary.password}@${server}/crawls`
        const reason = `the connection to ${server} failed with ECONNREFUSED`
        yield* assertAllRefused(url, [
          [["run"], `sink "postgres" cannot be reached: ${reason}`],
          [["query", "SELECT 1"], `Postgres cannot be reached: ${reason}`],
          [["runs"], `Postgres cannot be reached: ${reason}`],
          [["migrate"], `Postgres cannot be reached: ${reason}`]
        ])
      }),
    120_000
  )

  it.live(
    "refuses the password",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase()
        const url = altered(database.url, (copy) => {
          copy.password = `not-${canary.password}`
        })
        const role = new URL(url).username
        yield* assertAllRefused(url, [
          [["run"], `sink "postgres": password authentication failed for user "${role}" (at ${new URL(url).host})`]
        ])
        assert.deepStrictEqual(yield* dump(database), [])
      }),
    120_000
  )

  it.live(
    "has no such database",
    () =>
      Effect.gen(function* () {
        const { url } = yield* testDatabase()
        const absent = altered(url, (copy) => {
          copy.pathname = "/absent"
        })
        yield* assertAllRefused(absent, [
          [["run"], `sink "postgres": database "absent" does not exist (at ${new URL(url).host})`]
        ])
      }),
    120_000
  )

  it.live(
    "does not let the role make tables",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase({ owned: false })
        const may =
          'the role may not prepare the database (permission denied for schema public); grant it CREATE and USAGE on the schema, or let an owner run "sluice migrate"'
        yield* assertAllRefused(database.url, [
          [["run"], `sink "postgres": ${may}`],
          [["migrate"], may]
        ])
        assert.deepStrictEqual(yield* dump(database), [])
      }),
    120_000
  )

  it.live(
    "was prepared by a newer Sluice",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase()
        const options = yield* setUp(database.url)
        assert.strictEqual((yield* run(["migrate"], options)).code, 0)
        yield* database.rows("INSERT INTO sluice_migrations (id) VALUES ('9999_of_tomorrow')")
        const before = yield* dump(database)
        const newer = "the database was prepared by a newer Sluice (9999_of_tomorrow); upgrade Sluice"
        yield* assertAllRefused(database.url, [
          [["run"], `sink "postgres": ${newer}`],
          [["migrate"], newer]
        ])
        assert.deepStrictEqual(yield* dump(database), before)
      }),
    120_000
  )

  it.live(
    "lets the role read and not write",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase({ owned: false })
        const role = new URL(database.url).username
        const { cwd, env } = yield* setUp(database.url)
        yield* database.rows(`GRANT CREATE ON SCHEMA public TO ${role}`)
        assert.strictEqual((yield* run(["migrate"], { cwd, env })).code, 0)
        for (const { name } of yield* dump(database))
          yield* database.rows(`ALTER TABLE "${name}" OWNER TO CURRENT_USER`)
        yield* database.rows(`REVOKE CREATE ON SCHEMA public FROM ${role}`)
        yield* database.rows(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`)
        const before = yield* dump(database)
        yield* assertAllRefused(database.url, [
          [
            ["run"],
            "the role may not use Sluice's tables (permission denied for table runs); grant it SELECT, INSERT, UPDATE and DELETE on them"
          ]
        ])
        assert.deepStrictEqual(yield* dump(database), before)
      }),
    120_000
  )
})
