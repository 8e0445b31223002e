import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync, zstdDecompressSync } from "node:zlib"
import { DuckDBInstance, DuckDBTimestampTZValue } from "@duckdb/node-api"
import type { LoadedPage, LoadedRows } from "@sluice/testkit"
import { Effect } from "effect"

type Row = Readonly<Record<string, unknown>>

/** What readers of a pipeline see: the pointer, the manifests it names, and the rows of their parts. */
export interface Lake {
  readonly runs: ReadonlyArray<{ readonly run_id: string; readonly status: string; readonly manifest: string }>
  readonly rows: (dataset: string) => ReadonlyArray<Row>
}

/** Reads an object, undefined where there is none. */
export type ReadObject = (key: string) => Promise<Uint8Array | undefined>

/** Files of a directory as a reader finds them. */
export const filesOf =
  (root: string): ReadObject =>
  (key) =>
    readFile(join(root, key)).catch(() => undefined)

/** Reads the rows of a Parquet file. */
export type ReadParquet = (bytes: Uint8Array) => ReadonlyArray<Row> | Promise<ReadonlyArray<Row>>

/** Goes the way a reader goes, with nothing of the sink. Parquet is read by DuckDB, unless told otherwise. */
export const readLake = async (read: ReadObject, pipeline: string, parquet?: ReadParquet): Promise<Lake> => {
  const json = async (key: string) => {
    const bytes = await read(key)
    return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString())
  }
  const pointer = await json(`_sluice/pipeline=${pipeline}/latest.json`)
  const rows = new Map<string, Array<Row>>()
  for (const { manifest } of pointer?.runs ?? []) {
    for (const { dataset, key } of (await json(manifest)).parts) {
      const held = rows.get(dataset) ?? []
      rows.set(dataset, [...held, ...(await rowsOf(key, (await read(key))!, parquet))])
    }
  }
  return { runs: pointer?.runs ?? [], rows: (dataset) => rows.get(dataset) ?? [] }
}

/** The rows of an object, by what its name ends with. */
export const rowsOf = async (
  key: string,
  bytes: Uint8Array,
  parquet: ReadParquet = parquetRows
): Promise<ReadonlyArray<Row>> => {
  if (key.endsWith(".parquet")) return parquet(bytes)
  const text = key.endsWith(".gz") ? gunzipSync(bytes) : key.endsWith(".zst") ? zstdDecompressSync(bytes) : bytes
  return Buffer.from(text)
    .toString()
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** One engine for all reads of a process: it takes longer to start than to read. */
let engine: Promise<DuckDBInstance> | undefined

/** The rows that the last of some statements answers. */
export const askDuckDB = async (sql: string): Promise<ReadonlyArray<Row>> => {
  engine ??= DuckDBInstance.create(":memory:")
  const connection = await (await engine).connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowObjects()
  } finally {
    connection.closeSync()
  }
}

/** How many statements DuckDB's parser finds in a script; fails on what is none. */
export const statementsOf = async (sql: string): Promise<number> => {
  engine ??= DuckDBInstance.create(":memory:")
  const connection = await (await engine).connect()
  try {
    return (await connection.extractStatements(sql)).count
  } finally {
    connection.closeSync()
  }
}

const parquetRows = async (bytes: Uint8Array): Promise<ReadonlyArray<Row>> => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-parquet-"))
  const file = join(folder, "part.parquet")
  try {
    await writeFile(file, bytes)
    const rows = await askDuckDB(`SELECT * FROM '${file}'`)
    return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(name, value)])))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A value of DuckDB as JSON Lines have it. */
export const plain = (name: string, value: unknown): unknown => {
  if (typeof value === "bigint") return name === "page_key" ? String(value) : Number(value)
  if (value instanceof DuckDBTimestampTZValue) return new Date(Number(value.micros / 1000n)).toISOString()
  return name === "extra" && typeof value === "string" ? JSON.parse(value) : value
}

/** All that readers see, as the suite of sinks compares it. */
export const landed = (read: ReadObject, pipeline = "suite"): Effect.Effect<LoadedRows> =>
  Effect.promise(async () => {
    const { rows } = await readLake(read, pipeline)
    const idOf = (row: Row) => `${row.job_id} ${row.page_key}`
    const metadata = new Map(rows("page_metadata").map((row) => [idOf(row), row]))
    const links = new Map<string, Array<Row>>()
    for (const row of rows("links")) links.set(idOf(row), [...(links.get(idOf(row)) ?? []), row])
    return {
      pages: rows("pages").map((row) => {
        const fetched = metadata.get(idOf(row))!
        const linked = (links.get(idOf(row)) ?? []).toSorted((a, b) => Number(a.position) - Number(b.position))
        return {
          url: row.url,
          parentUrl: row.parent_url,
          depth: row.depth,
          inputIndex: row.input_index,
          status: row.status,
          errorCode: row.error_code,
          errorMessage: row.error_message,
          markdown: row.markdown,
          html: row.html,
          links: linked.map(({ url }) => url),
          httpStatus: fetched.http_status,
          durationMs: fetched.duration_ms,
          retryCount: fetched.retry_count,
          tokensCharged: fetched.tokens_charged,
          extra: row.extra
        } as LoadedPage
      }),
      summaries: rows("token_summaries").map((row) => ({
        jobId: String(row.job_id),
        tokensCharged: Number(row.tokens_charged)
      })),
      deadLetters: rows("dead_letters").map(({ job_id, reason, url }) => ({
        jobId: String(job_id),
        url: String(url),
        reason: String(reason)
      }))
    }
  })
