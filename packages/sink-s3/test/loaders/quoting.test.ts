import { assert, describe, it } from "@effect/vitest"
import { PipelineName } from "@sluice/core/config"
import { Effect, Option, Schema } from "effect"
import * as fc from "fast-check"
import { athena } from "../../src/loaders/athena.ts"
import { bigquery } from "../../src/loaders/bigquery.ts"
import { duckdb } from "../../src/loaders/duckdb.ts"
import type { BucketPlace } from "../../src/loaders/Place.ts"
import { bucketPlace } from "../../src/loaders/Place.ts"
import { redshift } from "../../src/loaders/redshift.ts"
import { redshiftManifest } from "../../src/loaders/redshiftManifest.ts"
import { snowflake } from "../../src/loaders/snowflake.ts"
import { doubled } from "../../src/loaders/sqlText.ts"
import { withS3Defaults } from "../../src/S3SinkConfig.ts"
import { askDuckDB } from "../readLake.ts"
import { literalsOf } from "./literals.ts"
import { lake, published } from "./publishedParts.ts"

/** Letters that mean something somewhere come often. */
const deadLetter = fc.oneof(
  fc.constantFrom(..."'\\\"`;-/*?[]{}$%:= \u2028"),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 })
)
const text = fc.array(deadLetter, { maxLength: 12 }).map((deadLetters) => deadLetters.join(""))
/** What a pipeline file takes for the name of a bucket; any other is refused before a statement is written. */
const buckets = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/)
const place = fc.record({ bucket: buckets, prefix: text.map((prefix) => `${prefix}/`) })
const pipelines = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)

/** The place a pipeline file may name, if it may. */
const placed = (given: { readonly bucket: string; readonly prefix: string }): Option.Option<BucketPlace> => {
  const decoded = Effect.runSyncExit(Effect.try({ try: () => withS3Defaults(given), catch: String }))
  if (decoded._tag === "Failure") return Option.none()
  return Effect.runSync(Effect.option(bucketPlace(decoded.value)))
}

describe("quoting", () => {
  it("writes what any name is into literals that hold just that, whatever the engine", () => {
    let tried = 0
    fc.assert(
      fc.property(place, pipelines, (given, pipeline) => {
        assert.isTrue(Schema.is(PipelineName)(pipeline))
        const found = placed(given)
        if (Option.isNone(found)) return
        tried++
        const load = {
          place: found.value,
          published: published([{ runId: "r1", kind: "jsonl" as const, parts: { links: 1 } }], pipeline),
          datasets: ["links"] as const,
          schema: "quotes"
        }
        const below = `${given.bucket}/${given.prefix}`
        const folder = `dataset=links/pipeline=${pipeline}/run=r1/`
        const part = `${folder}part-0001-000001.jsonl`

        assert.deepStrictEqual(
          literalsOf(Effect.runSync(athena(load)), "backslashed").filter((value) => value.startsWith("s3://")),
          [`s3://${below}dataset=links/`, `s3://${below}${folder}`]
        )
        assert.deepStrictEqual(
          literalsOf(Effect.runSync(redshift(load)), "either").filter((value) => value.startsWith("s3://")),
          [`s3://${below}_sluice/pipeline=${pipeline}/redshift/links.jsonl.manifest`]
        )
        assert.deepStrictEqual(
          JSON.parse(Effect.runSync(redshiftManifest(found.value, load.published, "links"))).entries[0].url,
          `s3://${below}${part}`
        )
        assert.deepStrictEqual(literalsOf(Effect.runSync(snowflake(load)), "either"), [
          "S3",
          "<role_arn>",
          `s3://${below}`,
          `s3://${below}`,
          part
        ])
        if (!given.prefix.includes("*")) {
          assert.deepStrictEqual(literalsOf(Effect.runSync(bigquery(load)), "backslashed"), [
            "NEWLINE_DELIMITED_JSON",
            `s3://${below}${part}`
          ])
        }
        assert.deepStrictEqual(
          literalsOf(duckdb(load), "doubled").filter((value) => value.startsWith("s3://")),
          [`s3://${below}`, `s3://${below}${part}`]
        )
      }),
      { numRuns: 500 }
    )
    assert.isAbove(tried, 200)
  })

  it("writes literals that DuckDB reads back", async () => {
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        assert.deepStrictEqual(await askDuckDB(`SELECT ${doubled(value)} AS value`), [{ value }])
      }),
      { numRuns: 200 }
    )
  })

  it("refuses names that no literal of all engines holds", () => {
    for (const prefix of ["a\n; DROP TABLE x\n/", "a\u0000/", "a\u0085/", "a\uD800/"]) {
      const refused = Effect.runSync(Effect.flip(bucketPlace({ bucket: "lake", prefix })))
      assert.include(refused.message, "control character")
    }
    assert.strictEqual(
      placed({ bucket: "lake", prefix: "a/" }).pipe(
        Option.map(({ prefix }) => prefix),
        Option.getOrThrow
      ),
      "a/"
    )
  })
})

describe("the place of a bucket", () => {
  const of = (given: Partial<Parameters<typeof bucketPlace>[0]>) =>
    Effect.runSync(bucketPlace({ bucket: "lake", prefix: "crawls/", ...given }))

  it("tells Amazon and Google from other stores, and no credential of an address", () => {
    assert.deepStrictEqual(of({}), lake())
    assert.deepStrictEqual(of({ endpoint: "https://s3.eu-central-1.amazonaws.com", path_style: false }), {
      ...lake(),
      endpoint: { host: "s3.eu-central-1.amazonaws.com", isSecure: true }
    })
    assert.strictEqual(of({ endpoint: "https://storage.googleapis.com" }).provider, "google")
    assert.strictEqual(of({ endpoint: "https://storage.googleapis.com.evil.example" }).provider, "other")
    assert.strictEqual(of({ endpoint: "https://amazonaws.com.evil.example" }).provider, "other")
    assert.deepStrictEqual(of({ endpoint: "http://user:secret@store.example:9000/" }), {
      ...lake({ provider: "other", isPathStyle: true }),
      endpoint: { host: "store.example:9000", isSecure: false }
    })
  })

  it("is refused where the endpoint is no URL", () => {
    const refused = Effect.runSync(Effect.flip(bucketPlace({ bucket: "lake", prefix: "", endpoint: "store" })))
    assert.strictEqual(refused.message, "the endpoint of the sink is no URL: write it as https://host:port")
  })
})
