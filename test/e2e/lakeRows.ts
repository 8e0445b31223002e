import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { run, runJson, type Start } from "../../apps/runner/test/Cli.ts"
import { askDuckDB, filesOf, plain, readLake } from "../../packages/sink-s3/test/readLake.ts"

type Row = Readonly<Record<string, unknown>>

/** The rows a reader finds of each dataset. */
export interface DatasetRows {
  readonly rows: (dataset: string) => ReadonlyArray<Row>
}

/** Each dataset as objects hold it, asked of Postgres. */
const datasets = {
  pages: `SELECT j.job_id, p.page_key::text, p.url, p.parent_url, p.depth, p.input_index, p.status, p.error_code,
      p.error_message, p.markdown, p.html, p.extra FROM pages p JOIN jobs j USING (job_no)`,
  links: `SELECT j.job_id, l.page_key::text, l.position, p.url AS page_url, l.url
    FROM links l JOIN pages p USING (set_no, page_key) JOIN jobs j USING (job_no)`,
  page_metadata: `SELECT j.job_id, m.page_key::text, p.url, m.http_status, m.duration_ms, m.retry_count, m.tokens_charged
    FROM page_metadata m JOIN pages p USING (set_no, page_key) JOIN jobs j ON j.job_no = m.job_no`,
  token_summaries: `SELECT j.job_id, j.kind, j.url, j.status, t.pages_discovered, t.pages_completed, t.pages_failed,
      t.pages_cancelled, t.tokens_charged, t.tokens_reserved FROM token_summaries t JOIN jobs j USING (job_no)`
} as const

/** A pipeline's objects below a directory. */
export const lakeOf = (cwd: string, folder: string, pipeline = "lake") =>
  Effect.promise(() => readLake(filesOf(join(cwd, folder)), pipeline))

/** What DuckDB shows of a sink through the statements of `sluice ddl duckdb`, without what they add. */
export const viewedBy = Effect.fnUntraced(function* (
  options: Start,
  sink: string
): Effect.fn.Return<DatasetRows, never, never> {
  const printed = yield* run(["ddl", "duckdb", "--sink", sink, "--schema", sink], options)
  assert.strictEqual(printed.code, 0, printed.stderr)
  yield* Effect.promise(() => askDuckDB(printed.stdout))
  const rows = new Map<string, ReadonlyArray<Row>>()
  for (const dataset of Object.keys(datasets)) {
    const found = yield* Effect.promise(() => askDuckDB(`SELECT * FROM "${sink}"."${dataset}"`))
    rows.set(
      dataset,
      found.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(name, value)])))
    )
  }
  return { rows: (dataset) => rows.get(dataset) ?? [] }
})

/** Asserts that all that Postgres holds of one run is what each of the others holds, row by row, by name of the reader. */
export const assertSameRows = Effect.fnUntraced(function* (
  options: Start,
  lakes: Readonly<Record<string, DatasetRows>>
) {
  for (const [dataset, sql] of Object.entries(datasets)) {
    const expected = yield* runJson<ReadonlyArray<Row>>(["query", "--json", sql], options)
    assert.isNotEmpty(expected)
    const names = Object.keys(expected[0]!)
    for (const [reader, lake] of Object.entries(lakes)) {
      const found = lake.rows(dataset).map((row) => Object.fromEntries(names.map((name) => [name, row[name]])))
      assert.deepStrictEqual(inOrder(found), inOrder(expected), `${dataset} by ${reader}`)
    }
  }
})

const inOrder = (rows: ReadonlyArray<Row>) =>
  rows.map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).sort()))).toSorted()
