import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Directory, type DirectorySinkOptions, type LakeDataset, type LoaderOptions } from "@sluice/sink-s3"
import { sampleSnapshot, startRun } from "@sluice/testkit"
import { Effect } from "effect"
import { columnsOf, lakeDatasets, linkRows, metadataRows, pageRows, type Row } from "../../src/Columns.ts"
import { duckdb } from "../../src/loaders/duckdb.ts"
import { folder } from "../folder.ts"
import { askDuckDB, plain, statementsOf } from "../readLake.ts"
import { dirty, land, litter, recordsOf } from "./landRuns.ts"
import { lake, links } from "./publishedParts.ts"

/** The rows of a view as JSON Lines have them, `run` last. */
const viewed = (schema: string, dataset: LakeDataset) =>
  Effect.promise(async () => {
    const found = await askDuckDB(`SELECT * FROM "${schema}"."${dataset}"`)
    return found
      .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(name, value)])))
      .map((row) => JSON.stringify(row))
      .toSorted()
  })

/** The same of what was written. */
const written = (dataset: LakeDataset, rows: ReadonlyArray<Row>, run: string) =>
  rows.map((row) => {
    const values = columnsOf[dataset].map(({ name, type }, at) => {
      const value = row[at] ?? null
      return [name, typeof value === "bigint" ? String(value) : type === "instant" ? isoOf(value) : value] as const
    })
    return JSON.stringify(Object.fromEntries([...values, ["run", run]]))
  })
const isoOf = (value: unknown) => new Date(Number(value)).toISOString()

const summaryOf = (run: number): Row => {
  const job = sampleSnapshot(`job-${run}`)
  return [
    job.jobId,
    job.kind,
    job.url,
    job.status,
    job.discovered,
    job.completed,
    job.failed,
    job.cancelled,
    job.tokensCharged,
    job.tokensReserved,
    job.observedAt
  ]
}

const assertShown = Effect.fnUntraced(function* (schema: string, ids: ReadonlyArray<readonly [number, string]>) {
  const rows = {
    pages: (run: number) => [...pageRows(recordsOf(run))],
    links: (run: number) => [...linkRows(recordsOf(run))],
    page_metadata: (run: number) => [...metadataRows(recordsOf(run))],
    token_summaries: (run: number) => [summaryOf(run)]
  }
  for (const dataset of ["pages", "links", "page_metadata", "token_summaries"] as const) {
    const expected = ids.flatMap(([run, id]) => written(dataset, rows[dataset](run), id)).toSorted()
    assert.deepStrictEqual(yield* viewed(schema, dataset), expected)
  }
  const deadLetters = yield* Effect.promise(() =>
    askDuckDB(`SELECT url, run FROM "${schema}".dead_letters ORDER BY url`)
  )
  assert.deepStrictEqual(
    deadLetters,
    ids.map(([run, id]) => ({ url: dirty(run).url, run: id }))
  )
})

const run = (options: DirectorySinkOptions, loader: Partial<LoaderOptions> = {}) =>
  Directory.loadStatements(options, { engine: "duckdb", pipeline: "suite", ...loader }).pipe(
    Effect.tap((text) => Effect.promise(() => askDuckDB(text)))
  )

const columnTypes = (schema: string, dataset: LakeDataset) =>
  Effect.promise(() => askDuckDB(`SELECT column_name, column_type FROM (DESCRIBE "${schema}"."${dataset}")`))

const writings: ReadonlyArray<DirectorySinkOptions> = [
  { compression: "gzip" },
  { compression: "zstd" },
  { compression: "none" },
  { format: "parquet" },
  { format: "parquet", compression: "snappy" }
]

describe("statements for DuckDB", () => {
  for (const writing of writings) {
    for (const mode of ["append", "replace"] as const) {
      const title = `${mode}, ${writing.format ?? "jsonl"} (${writing.compression ?? "zstd"})`
      it.effect(`show just what is published: ${title}`, () =>
        Effect.gen(function* () {
          const options = { path: yield* folder, mode, ...writing }
          const schema = title.replaceAll(/[^a-z]+/g, "_")
          const [first, second] = yield* land([options, options])
          yield* litter(options)
          yield* run(options, { schema })
          yield* assertShown(
            schema,
            mode === "append"
              ? [
                  [1, first!],
                  [2, second!]
                ]
              : [[2, second!]]
          )
        })
      )
    }
  }

  it.effect("show runs that were written in several ways as one", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const ids = yield* land(writings.map((writing) => ({ path, ...writing })))
      yield* run({ path }, { schema: "several_ways" })
      yield* assertShown(
        "several_ways",
        ids.map((id, at) => [at + 1, id] as const)
      )
    })
  )

  it.effect("have the same columns and types whatever there is", () =>
    Effect.gen(function* () {
      for (const [name, writing] of [
        ["types_jsonl", writings[0]!] as const,
        ["types_parquet", writings[3]!] as const
      ]) {
        const options = { path: yield* folder, ...writing }
        yield* land([options])
        yield* run(options, { schema: name })
      }
      const options = { path: yield* folder }
      const { publish } = yield* startRun(Directory.sink(options), yield* Directory.sink(options).connect)
      yield* publish
      yield* run(options, { schema: "types_nothing" })
      for (const dataset of ["pages", "links", "page_metadata", "token_summaries", "dead_letters"] as const) {
        const types = yield* columnTypes("types_nothing", dataset)
        assert.deepStrictEqual(
          types.map(({ column_name }) => column_name),
          [...columnsOf[dataset].map(({ name }) => name), "run"]
        )
        assert.deepStrictEqual(yield* columnTypes("types_jsonl", dataset), types)
        assert.deepStrictEqual(yield* columnTypes("types_parquet", dataset), types)
        assert.deepStrictEqual(yield* viewed("types_nothing", dataset), [])
      }
      const types = yield* columnTypes("types_nothing", "pages")
      assert.deepInclude(types, { column_name: "page_key", column_type: "BIGINT" })
      assert.deepInclude(types, { column_name: "extra", column_type: "JSON" })
    })
  )

  it.effect("find a directory of any name, and are not misled by one", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "it's a [1]*?{x,y}\\n; -- ", "status=9", "run=0", "größe")
      const [id] = yield* land([{ path }])
      yield* run({ path }, { schema: "any_name" })
      yield* assertShown("any_name", [[1, id!]])
    })
  )

  it.effect("are about one dataset where one is asked for, in a schema named after the pipeline", () =>
    Effect.gen(function* () {
      const path = yield* folder
      yield* land([{ path }])
      const text = yield* run({ path }, { datasets: ["links"] })
      assert.deepStrictEqual(text.match(/VIEW \S+/g), ['VIEW "suite"."links"'])
      assert.lengthOf(yield* viewed("suite", "links"), linkRows(recordsOf(1)).length)
    })
  )

  it.effect("over a bucket are what DuckDB's parser takes: the extension that reads buckets is not at hand here", () =>
    Effect.gen(function* () {
      const endpoint = { host: "store.example:9000", isSecure: false }
      for (const place of [lake(), lake({ region: "eu", endpoint, isPathStyle: true, prefix: "it's a [?]/" })]) {
        const texts = (["jsonl", "parquet"] as const).map((kind) =>
          duckdb(links(kind, { place, datasets: lakeDatasets }))
        )
        // Extensions, the secret and the schema, and where the prefix looks like a pattern, that it is none.
        const statements = place.endpoint === undefined ? 6 : 7
        for (const text of texts) {
          assert.strictEqual(yield* Effect.promise(() => statementsOf(text)), statements + lakeDatasets.length)
        }
      }
    })
  )

  it.effect("are refused where nothing has been published, and for engines that read no directory", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const options = { path }
      const nothing = `no run of pipeline "suite" has been published in ${path}: run it first`
      assert.strictEqual((yield* Effect.flip(run(options))).message, nothing)
      const { write } = yield* startRun(Directory.sink(options), yield* Directory.sink(options).connect)
      yield* write(1, recordsOf(1))
      assert.strictEqual((yield* Effect.flip(run(options))).message, nothing)
      for (const engine of ["athena", "bigquery", "redshift", "snowflake"] as const) {
        assert.strictEqual(
          (yield* Effect.flip(run(options, { engine }))).message,
          `${engine} reads no local directory: use duckdb, or a sink to a bucket`
        )
      }
    })
  )
})
