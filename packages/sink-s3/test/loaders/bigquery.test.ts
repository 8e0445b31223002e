import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { parse } from "sql-parser-cst"
import { lakeDatasets } from "../../src/Columns.ts"
import { bigquery } from "../../src/loaders/bigquery.ts"
import { literalsOf, statementsIn } from "./literals.ts"
import { lake, links, published } from "./publishedParts.ts"

const google = lake({ provider: "google", prefix: "it's \\ a/" })

describe("statements for BigQuery", () => {
  it.effect("overwrite each table, from Amazon's storage by a connection", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* bigquery(links("jsonl.gz", { place: lake({ region: "us-east-1" }) })),
        `-- The dataset quotes has to be there, near the bucket. Fill in the connection that may read the bucket.

LOAD DATA OVERWRITE \`quotes\`.\`links\` (
  \`job_id\` STRING NOT NULL,
  \`page_key\` INT64 NOT NULL,
  \`position\` INT64 NOT NULL,
  \`page_url\` STRING NOT NULL,
  \`url\` STRING NOT NULL
)
FROM FILES (
  format = 'NEWLINE_DELIMITED_JSON',
  uris = [
    's3://lake/crawls/dataset=links/pipeline=quotes/run=r1/part-0001-000001.jsonl.gz',
    's3://lake/crawls/dataset=links/pipeline=quotes/run=r1/part-0001-000002.jsonl.gz',
    's3://lake/crawls/dataset=links/pipeline=quotes/run=r2/part-0001-000001.jsonl.gz'
  ]
)
WITH CONNECTION \`aws-us-east-1.<connection>\`;`
      )
      const elsewhere = yield* bigquery(links("jsonl", { place: lake({ region: "a`b" }) }))
      assert.include(elsewhere, "WITH CONNECTION `aws-<region>.<connection>`;")
    })
  )

  it.effect("are what a parser of the dialect takes, for every dataset and format", () =>
    Effect.gen(function* () {
      const parts = { pages: 2, links: 1, page_metadata: 1, token_summaries: 1 }
      for (const kind of ["jsonl", "jsonl.gz", "parquet"] as const) {
        for (const place of [google, lake()]) {
          const text = yield* bigquery(
            links(kind, { place, published: published([{ runId: "r1", kind, parts }]), datasets: lakeDatasets })
          )
          const { statements } = parse(text, { dialect: "bigquery" })
          assert.deepStrictEqual(
            statements.map(({ type }) => type).filter((type) => type !== "empty"),
            [...Array.from({ length: 4 }, () => "load_data_stmt" as const), "create_table_stmt"]
          )
          assert.include(text, kind === "parquet" ? "`extra` STRING\n" : "`extra` JSON\n")
          assert.strictEqual(text.includes("WITH CONNECTION"), place !== google)
          assert.strictEqual(text.includes("'gs://lake/it\\'s \\\\ a/dataset=pages/"), place === google)
        }
      }
    })
  )

  it.effect("stay below a megabyte, add what follows the first, and name every part once", () =>
    Effect.gen(function* () {
      const text = yield* bigquery(
        links("jsonl", {
          place: google,
          published: published([
            { runId: "r1", kind: "jsonl", parts: { links: 12_000 } },
            { runId: "r2", kind: "jsonl.gz", parts: { links: 10 } }
          ])
        })
      )
      const statements = statementsIn(text)
      for (const [at, statement] of statements.entries()) {
        assert.isBelow(Buffer.byteLength(statement), 1_000_000)
        assert.match(statement, at === 0 ? /^LOAD DATA OVERWRITE / : /^LOAD DATA INTO /)
        const uris = literalsOf(statement, "backslashed").slice(1)
        assert.lengthOf(new Set(uris.map((uri) => uri.endsWith(".gz"))), 1, "compressed and plain files in one job")
      }
      const uris = statements.flatMap((statement) => literalsOf(statement, "backslashed").slice(1))
      assert.lengthOf(uris, 12_010)
      assert.lengthOf(new Set(uris), 12_010)
    })
  )

  it.effect("are refused for what BigQuery does not read", () =>
    Effect.gen(function* () {
      const refusal = (load: Parameters<typeof bigquery>[0]) => Effect.map(Effect.flip(bigquery(load)), String)
      assert.include(yield* refusal(links("jsonl", { place: lake({ provider: "other" }) })), "is neither")
      assert.include(yield* refusal(links("jsonl", { place: lake({ prefix: "a*/" }) })), "holds a *")
      assert.include(yield* refusal(links("jsonl.zst")), "write it with compression gzip or none")
      const both = published([
        { runId: "r1", kind: "jsonl", parts: { pages: 1, links: 1 } },
        { runId: "r2", kind: "parquet", parts: { pages: 1, links: 1 } }
      ])
      assert.include(yield* refusal(links("jsonl", { published: both, datasets: ["pages"] })), "column extra of pages")
      assert.include(yield* bigquery(links("jsonl", { published: both })), "format = 'PARQUET'")
    })
  )
})
