import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { parse } from "yaml"
import { assertRefused, directory, run } from "./Cli.ts"
import { testDatabase } from "./TestDatabase.ts"

interface Described {
  readonly name: string
  readonly description: string
}

interface Sources {
  readonly version: number
  readonly sources: ReadonlyArray<
    Described & {
      readonly database: string
      readonly schema: string
      readonly tables: ReadonlyArray<
        Described & { readonly columns: ReadonlyArray<Described & { readonly data_type: string }> }
      >
    }
  >
}

const inCatalog = `
SELECT c.relname AS name, obj_description(c.oid) AS description, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
  col_description(c.oid, a.attnum) AS comment
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = '"the crawl"'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
  AND c.relname NOT IN ('sluice_migrations', 'mine')
ORDER BY c.relkind = 'r', c.relname, a.attnum`

describe("dbt-sources", () => {
  it.live(
    "describes every table, view and column as the database does, and none of others",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase()
        const cwd = yield* directory
        const options = { cwd, alone: true, env: { DATABASE_URL: database.url } }
        writeFileSync(
          join(cwd, "sluice.yaml"),
          `name: quotes
source:
  crawl: { url: https://quotes.example/ }
sinks:
  - postgres: { url: $DATABASE_URL, schema: the crawl }
`
        )
        const refusal = 'schema "the crawl" holds no tables of Sluice yet: run "sluice migrate" first'
        assertRefused(yield* run(["dbt-sources"], options), 2, refusal)
        assert.strictEqual((yield* run(["migrate"], options)).code, 0)
        yield* database.rows(`CREATE VIEW "the crawl".mine AS SELECT 1 AS one`)
        const { code, stderr, stdout } = yield* run(["dbt-sources", "--name", "crawled"], options)
        assert.strictEqual(code, 0, stderr)
        const { sources, version }: Sources = parse(stdout)
        assert.strictEqual(version, 2)
        assert.lengthOf(sources, 1)
        const [{ tables, ...source } = assert.fail("no source")] = sources
        assert.deepInclude(source, {
          name: "crawled",
          database: new URL(database.url).pathname.slice(1),
          schema: "the crawl"
        })
        const told = tables.flatMap(({ columns, description, name }) =>
          columns.map((column) => ({
            name,
            description,
            column: column.name,
            type: column.data_type,
            comment: column.description
          }))
        )
        assert.deepStrictEqual(told, [...(yield* database.rows<(typeof told)[number]>(inCatalog))])
        assert.isFalse(told.some(({ comment, description }) => comment === "" || description === ""))
      }),
    120_000
  )
})
