import { assert, describe, it } from "@effect/vitest"
import { Dialect, parse } from "@polyglot-sql/sdk"
import { Effect } from "effect"
import { athena } from "../../src/loaders/athena.ts"
import { literalsOf, statementsIn } from "./literals.ts"
import { lake, links, published } from "./publishedParts.ts"

/** Views are statements of Trino, of which a parser is at hand; tables are of Hive. */
const viewsIn = (script: string) =>
  statementsIn(script).filter((statement) => statement.startsWith("CREATE OR REPLACE"))

describe("statements for Athena", () => {
  it.effect("are tables over the folders, a partition a run, and a view of the published parts", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* athena(links("jsonl.gz")),
        `-- Athena takes one statement at a time. Read the views; the tables show what no run has published, too.

CREATE DATABASE IF NOT EXISTS \`quotes\`;

CREATE EXTERNAL TABLE IF NOT EXISTS \`quotes\`.\`links_jsonl\` (
  \`job_id\` string,
  \`page_key\` bigint,
  \`position\` int,
  \`page_url\` string,
  \`url\` string
)
PARTITIONED BY (\`pipeline\` string, \`run\` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://lake/crawls/dataset=links/';

ALTER TABLE \`quotes\`.\`links_jsonl\` ADD IF NOT EXISTS
PARTITION (\`pipeline\` = 'quotes', \`run\` = 'r1')
  LOCATION 's3://lake/crawls/dataset=links/pipeline=quotes/run=r1/'
PARTITION (\`pipeline\` = 'quotes', \`run\` = 'r2')
  LOCATION 's3://lake/crawls/dataset=links/pipeline=quotes/run=r2/';

CREATE OR REPLACE VIEW "quotes"."links" AS
SELECT "job_id", "page_key", "position", "page_url", "url", "pipeline", "run"
FROM "quotes"."links_jsonl"
WHERE ("pipeline" = 'quotes' AND "run" = 'r1' AND regexp_extract("$path", '[^/]+$') IN ('part-0001-000001.jsonl.gz', 'part-0001-000002.jsonl.gz'))
   OR ("pipeline" = 'quotes' AND "run" = 'r2' AND regexp_extract("$path", '[^/]+$') IN ('part-0001-000001.jsonl.gz'));`
      )
    })
  )

  it.effect("read instants as each format has them, and make one view of both", () =>
    Effect.gen(function* () {
      const text = yield* athena(
        links("parquet", {
          datasets: ["token_summaries", "dead_letters"],
          published: published([
            { runId: "r1", kind: "jsonl", parts: { token_summaries: 1 } },
            { runId: "r2", kind: "parquet", parts: { token_summaries: 1 } }
          ])
        })
      )
      assert.include(text, "`observed_at` string\n)")
      assert.include(text, 'CAST(from_iso8601_timestamp("observed_at") AS timestamp) AS "observed_at"')
      assert.include(text, "`observed_at` timestamp\n)")
      assert.include(text, 'CAST("observed_at" AS timestamp) AS "observed_at"')
      assert.include(text, "STORED AS PARQUET")
      assert.include(
        text,
        `CREATE OR REPLACE VIEW "quotes"."token_summaries" AS
SELECT * FROM "quotes"."token_summaries_piece_1"
UNION ALL
SELECT * FROM "quotes"."token_summaries_piece_2";`
      )
      assert.include(text, 'VIEW "quotes"."dead_letters" AS\nSELECT CAST(NULL AS varchar) AS "job_id"')
      const views = viewsIn(text)
      assert.lengthOf(views, 4)
      for (const view of views) assert.deepInclude(parse(view, Dialect.Athena), { success: true })
    })
  )

  it.effect("stay within what Athena takes in a statement, and leave no part out", () =>
    Effect.gen(function* () {
      const runs = [
        { runId: "large", kind: "jsonl" as const, parts: { links: 12_000 } },
        ...Array.from({ length: 3000 }, (_, at) => ({ runId: `r${at}`, kind: "jsonl" as const, parts: { links: 1 } }))
      ]
      const prefix = `${"größe".repeat(100)}/`
      const text = yield* athena(links("jsonl", { published: published(runs), place: lake({ prefix }) }))
      const statements = statementsIn(text)
      for (const statement of statements) assert.isAtMost(Buffer.byteLength(statement), 262_144)
      const folders = literalsOf(text, "backslashed").filter((value) => value.includes("/run="))
      assert.lengthOf(new Set(folders), runs.length)
      assert.lengthOf(folders, runs.length)
      const pieces = viewsIn(text).slice(0, -1)
      const shown = pieces.flatMap((piece) =>
        [...piece.matchAll(/"run" = '(\w+)' AND .* IN \((.*)\)\)/g)].flatMap(([, run, names]) =>
          literalsOf(names!, "doubled").map((name) => `${run}/${name}`)
        )
      )
      assert.lengthOf(shown, 15_000)
      assert.lengthOf(new Set(shown), 15_000)
      assert.isAbove(pieces.length, 1)
      assert.lengthOf(
        viewsIn(text)
          .at(-1)!
          .match(/_piece_/g) ?? [],
        pieces.length
      )
    })
  )

  it.effect("are refused for a store that is not Amazon's", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(athena(links("jsonl", { place: lake({ provider: "other" }) })))
      assert.strictEqual(
        refused.message,
        "Athena reads buckets of Amazon S3 alone, and the endpoint of this sink is another store"
      )
    })
  )
})
