import { assert, describe, it } from "@effect/vitest"
import { Dialect, parse } from "@polyglot-sql/sdk"
import { Effect } from "effect"
import { lakeDatasets } from "../../src/Columns.ts"
import { snowflake } from "../../src/loaders/snowflake.ts"
import { literalsOf, statementsIn } from "./literals.ts"
import { lake, links, published } from "./publishedParts.ts"

describe("statements for Snowflake", () => {
  it.effect("empty and fill the tables from a stage, in one transaction", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* snowflake(links("jsonl.gz")),
        `-- Replace each <placeholder>. Stop at the first error: what follows it would commit half of a load.

CREATE SCHEMA IF NOT EXISTS "QUOTES";

CREATE STORAGE INTEGRATION IF NOT EXISTS "SLUICE_QUOTES"
TYPE = EXTERNAL_STAGE
STORAGE_PROVIDER = 'S3'
STORAGE_AWS_ROLE_ARN = '<role_arn>'
ENABLED = TRUE
STORAGE_ALLOWED_LOCATIONS = ('s3://lake/crawls/');

CREATE STAGE IF NOT EXISTS "QUOTES"."SLUICE"
URL = 's3://lake/crawls/'
STORAGE_INTEGRATION = "SLUICE_QUOTES";

CREATE TABLE IF NOT EXISTS "QUOTES"."LINKS" (
  "JOB_ID" VARCHAR NOT NULL,
  "PAGE_KEY" BIGINT NOT NULL,
  "POSITION" INTEGER NOT NULL,
  "PAGE_URL" VARCHAR NOT NULL,
  "URL" VARCHAR NOT NULL
);

BEGIN;

DELETE FROM "QUOTES"."LINKS";

COPY INTO "QUOTES"."LINKS"
FROM @"QUOTES"."SLUICE"
FILES = (
  'dataset=links/pipeline=quotes/run=r1/part-0001-000001.jsonl.gz',
  'dataset=links/pipeline=quotes/run=r1/part-0001-000002.jsonl.gz',
  'dataset=links/pipeline=quotes/run=r2/part-0001-000001.jsonl.gz'
)
FILE_FORMAT = (TYPE = JSON COMPRESSION = GZIP NULL_IF = ())
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
ON_ERROR = ABORT_STATEMENT
FORCE = TRUE;

COMMIT;`
      )
    })
  )

  it.effect("name at most 1,000 files each, and every file once", () =>
    Effect.gen(function* () {
      const runs = [
        { runId: "r1", kind: "jsonl" as const, parts: { links: 2500 } },
        { runId: "r2", kind: "parquet" as const, parts: { links: 1001 } }
      ]
      const copies = statementsIn(yield* snowflake(links("jsonl", { published: published(runs) }))).filter(
        (statement) => statement.startsWith("COPY")
      )
      const files = copies.map((copy) => literalsOf(copy, "either"))
      assert.deepStrictEqual(
        files.map(({ length }) => length),
        [1000, 1000, 500, 1000, 1]
      )
      assert.lengthOf(new Set(files.flat()), 3501)
      assert.deepStrictEqual(
        copies.map((copy) => /TYPE = (\w+)/.exec(copy)?.[1]),
        ["JSON", "JSON", "JSON", "PARQUET", "PARQUET"]
      )
    })
  )

  it.effect("are what a parser of the dialect takes, for every dataset, format and store", () =>
    Effect.gen(function* () {
      const parts = Object.fromEntries(lakeDatasets.map((dataset) => [dataset, 2]))
      for (const kind of ["jsonl", "jsonl.gz", "jsonl.zst", "parquet"] as const) {
        for (const provider of ["amazon", "google", "other"] as const) {
          const place = lake({
            provider,
            endpoint: { host: "store.example:9000", isSecure: true },
            prefix: "it's \\ a/"
          })
          const text = yield* snowflake(
            links(kind, { place, published: published([{ runId: "r1", kind, parts }]), datasets: lakeDatasets })
          )
          for (const statement of statementsIn(text)) {
            assert.deepInclude(parse(statement, Dialect.Snowflake), { success: true }, statement)
          }
          assert.include(
            text,
            { amazon: "'s3://lake/it''s \\\\ a/'", google: "'gcs://lake/", other: "'s3compat://lake/" }[provider]
          )
          assert.strictEqual(text.includes("ENDPOINT = 'store.example:9000'"), provider === "other")
        }
      }
    })
  )
})
