import { assert, describe, it } from "@effect/vitest"
import { Dialect, parse } from "@polyglot-sql/sdk"
import { Effect } from "effect"
import { redshift } from "../../src/loaders/redshift.ts"
import { redshiftManifest } from "../../src/loaders/redshiftManifest.ts"
import { statementsIn } from "./literals.ts"
import { lake, links, published } from "./publishedParts.ts"

describe("statements for Redshift", () => {
  it.effect("empty and fill the tables by manifest, in one transaction", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* redshift(
          links("jsonl.gz", { place: lake({ region: "eu-central-1" }), datasets: ["links", "dead_letters"] })
        ),
        `-- Put the manifests where COPY looks for them first: sluice ddl redshift --manifest NAME prints each.
-- Then fill in the role that may read the bucket.

CREATE SCHEMA IF NOT EXISTS "quotes";

CREATE TABLE IF NOT EXISTS "quotes"."links" (
  "job_id" VARCHAR(65535) NOT NULL,
  "page_key" BIGINT NOT NULL,
  "position" INTEGER NOT NULL,
  "page_url" VARCHAR(65535) NOT NULL,
  "url" VARCHAR(65535) NOT NULL
);

CREATE TABLE IF NOT EXISTS "quotes"."dead_letters" (
  "job_id" VARCHAR(65535) NOT NULL,
  "page_key" BIGINT NOT NULL,
  "url" VARCHAR(65535) NOT NULL,
  "reason" VARCHAR(65535) NOT NULL,
  "detail" VARCHAR(65535) NOT NULL,
  "raw" VARCHAR(65535) NOT NULL
);

BEGIN;

DELETE FROM "quotes"."links";

COPY "quotes"."links"
FROM 's3://lake/crawls/_sluice/pipeline=quotes/redshift/links.jsonl.gz.manifest'
IAM_ROLE '<role_arn>'
REGION 'eu-central-1'
MANIFEST FORMAT AS JSON 'auto' GZIP TIMEFORMAT 'auto';

DELETE FROM "quotes"."dead_letters";

COMMIT;`
      )
    })
  )

  it.effect("copy what is written alike at once, each kind as it is", () =>
    Effect.gen(function* () {
      const text = yield* redshift(
        links("parquet", {
          datasets: ["pages"],
          published: published([
            { runId: "r1", kind: "jsonl", parts: { pages: 1 } },
            { runId: "r2", kind: "jsonl.zst", parts: { pages: 1 } },
            { runId: "r3", kind: "parquet", parts: { pages: 1 } }
          ])
        })
      )
      assert.deepStrictEqual(text.match(/[^/]+\.manifest|FORMAT AS .*/g), [
        "pages.jsonl.manifest",
        "FORMAT AS JSON 'auto' TIMEFORMAT 'auto';",
        "pages.jsonl.zst.manifest",
        "FORMAT AS JSON 'auto' ZSTD TIMEFORMAT 'auto';",
        "pages.parquet.manifest",
        "FORMAT AS PARQUET;"
      ])
      assert.include(text, '"extra" VARCHAR(65535)\n')
      assert.include(yield* redshift(links("jsonl", { datasets: ["pages"] })), '"extra" SUPER\n')
      // The parser at hand knows no COPY of JSON; all else has to be what it takes for Redshift.
      const statements = statementsIn(text).filter((statement) => !statement.includes("FORMAT AS JSON"))
      assert.lengthOf(statements, 6)
      for (const statement of statements) assert.deepInclude(parse(statement, Dialect.Redshift), { success: true })
    })
  )

  it.effect("are refused for a store that is not Amazon's", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(redshift(links("jsonl", { place: lake({ provider: "google" }) })))
      assert.strictEqual(
        refused.message,
        "Redshift reads buckets of Amazon S3 alone, and the endpoint of this sink is another store"
      )
    })
  )
})

describe("a manifest for Redshift", () => {
  const { place } = links("jsonl")
  const both = published([
    { runId: "r1", kind: "jsonl.gz", parts: { links: 2, pages: 1 } },
    { runId: "r2", kind: "parquet", parts: { pages: 1 } }
  ])

  it.effect("lists just the published parts, mandatory, with their length", () =>
    Effect.gen(function* () {
      const folder = "s3://lake/crawls/dataset=links/pipeline=quotes/run=r1"
      assert.deepStrictEqual(JSON.parse(yield* redshiftManifest(place, both, "links")), {
        entries: [
          { url: `${folder}/part-0001-000001.jsonl.gz`, mandatory: true, meta: { content_length: 100 } },
          { url: `${folder}/part-0001-000002.jsonl.gz`, mandatory: true, meta: { content_length: 101 } }
        ]
      })
      assert.strictEqual(
        yield* redshiftManifest(place, both, "links.jsonl.gz"),
        yield* redshiftManifest(place, both, "links")
      )
      const { entries } = JSON.parse(yield* redshiftManifest(place, both, "pages.parquet"))
      assert.deepStrictEqual(
        entries.map(({ url }: { readonly url: string }) => url),
        ["s3://lake/crawls/dataset=pages/pipeline=quotes/run=r2/part-0001-000001.parquet"]
      )
    })
  )

  it.effect("is refused where there is none, or more than one", () =>
    Effect.gen(function* () {
      const messageFor = (name: string) => Effect.map(Effect.flip(redshiftManifest(place, both, name)), String)
      assert.include(
        yield* messageFor("pages"),
        "parts of pages are written in several ways: name one of pages.jsonl.gz, pages.parquet"
      )
      assert.include(
        yield* messageFor("dead_letters"),
        "no part of dead_letters has been published: name one of pages.jsonl.gz, pages.parquet, links.jsonl.gz"
      )
      assert.include(
        yield* messageFor("page"),
        "there is no manifest page: name one of pages.jsonl.gz, pages.parquet, links.jsonl.gz"
      )
    })
  )
})
