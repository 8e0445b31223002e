import { gzipSync } from "node:zlib"
import type { ByteWriter, ParquetWriter, parquetWriteBuffer } from "hyparquet-writer"

type SchemaElement = NonNullable<Parameters<typeof parquetWriteBuffer>[0]["schema"]>[number]

/** What a column of rows of any kind holds. */
export type ParquetColumnType = "text" | "boolean" | "int" | "long" | "double" | "instant" | "json"

/** A column by its name, which no other has. */
export interface ParquetColumn {
  readonly name: string
  readonly type: ParquetColumnType
}

const elements: { readonly [T in ParquetColumnType]: Omit<SchemaElement, "name"> } = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  boolean: { type: "BOOLEAN" },
  int: { type: "INT32" },
  long: { type: "INT64" },
  double: { type: "DOUBLE" },
  instant: { type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" } },
  json: { type: "BYTE_ARRAY", converted_type: "JSON" }
}

/**
 * Writes rows as one Parquet file, a row group a batch, and holds one of them in memory. Values are what Parquet takes: `bigint` for
 * `long`, `Date` for `instant`, null for none.
 *
 * `rows` and `end` answer the bytes that are next in the file; nothing may be written after `end`. A value of another type
 * than its column throws a `TypeError`.
 *
 * @example
 * ```ts
 * import { ParquetRows } from "@sluice/sink-s3"
 *
 * const file = async (): Promise<ReadonlyArray<Uint8Array>> => {
 *   const parquet = await ParquetRows.open([{ name: "url", type: "text" }])
 *   return [parquet.rows([["https://example.com/"]]), parquet.end()]
 * }
 * ```
 */
export class ParquetRows {
  readonly #columns: ReadonlyArray<ParquetColumn>
  readonly #bytes: ByteWriter
  readonly #writer: ParquetWriter

  private constructor(columns: ReadonlyArray<ParquetColumn>, bytes: ByteWriter, writer: ParquetWriter) {
    this.#columns = columns
    this.#bytes = bytes
    this.#writer = writer
  }

  /** Begins a file. */
  static async open(columns: ReadonlyArray<ParquetColumn>): Promise<ParquetRows> {
    const { ByteWriter, ParquetWriter } = await import("hyparquet-writer")
    const bytes = new ByteWriter()
    const schema = columns.map(({ name, type }) => ({ name, repetition_type: "OPTIONAL" as const, ...elements[type] }))
    const writer = new ParquetWriter({
      writer: bytes,
      schema: [{ name: "root", num_children: columns.length }, ...schema],
      codec: "GZIP",
      compressors: { GZIP: (input) => gzipSync(input, { level: 1 }) },
      createdBy: "sluice"
    })
    return new ParquetRows(columns, bytes, writer)
  }

  /** Writes rows, with a value for each column. */
  rows(rows: ReadonlyArray<ReadonlyArray<unknown>>): Uint8Array {
    if (rows.length > 0) {
      const columnData = this.#columns.map(({ name }, at) => ({ name, data: rows.map((row) => row[at] ?? null) }))
      void this.#writer.write({ columnData, rowGroupSize: rows.length })
    }
    return this.#take()
  }

  /** Ends the file. */
  end(): Uint8Array {
    void this.#writer.finish()
    return this.#take()
  }

  /** The bytes since the last ones: places in the file go by the writer's own count of all. */
  #take(): Uint8Array {
    const taken = this.#bytes.getBytes().slice()
    this.#bytes.index = 0
    return taken
  }
}
