import { gzipSync, constants as zlib, zstdCompressSync } from "node:zlib"
import { Effect } from "effect"
import type { parquetWriteBuffer } from "hyparquet-writer"
import type { Column, ColumnType, Rows, Value } from "./Columns.ts"
import type { Compression } from "./LakeOptions.ts"
import type { PartFormat } from "./PartFormat.ts"

/** Rows of a row group at most. What bounds it as a rule is the part, whose rows are in memory anyway. */
const rowsOfGroup = 100_000
const gzipLevel = 1
const zstdLevel = 3

type SchemaElement = NonNullable<Parameters<typeof parquetWriteBuffer>[0]["schema"]>[number]

/** What a column is declared as. An instant is one of UTC, not of wherever its reader is. */
const elements: { readonly [T in ColumnType]: Omit<SchemaElement, "name"> } = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  int: { type: "INT32" },
  long: { type: "INT64" },
  key: { type: "INT64" },
  instant: { type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" } },
  json: { type: "BYTE_ARRAY", converted_type: "JSON" }
}

const codecs = { gzip: "GZIP", zstd: "ZSTD", snappy: "SNAPPY", none: "UNCOMPRESSED" } as const

/** Columns by row groups, with statistics. */
export const parquet = (compression: Compression): PartFormat => ({
  extension: "parquet",
  contentType: "application/vnd.apache.parquet",
  encode: (columns, rows) =>
    Effect.map(
      // Loaded with the first part: most sinks write none.
      Effect.promise(() => import("hyparquet-writer")),
      ({ parquetWriteBuffer }) =>
        new Uint8Array(
          parquetWriteBuffer({
            schema: [{ name: "root", num_children: columns.length }, ...columns.map(elementOf)],
            columnData: dataOf(columns, rows),
            codec: codecs[compression],
            compressors: {
              GZIP: (input) => gzipSync(input, { level: gzipLevel }),
              ZSTD: (input) => zstdCompressSync(input, { params: { [zlib.ZSTD_c_compressionLevel]: zstdLevel } })
            },
            rowGroupSize: rowsOfGroup,
            createdBy: "sluice"
          })
        )
    )
})

/** The values of each column, gathered in one pass. */
const dataOf = (columns: ReadonlyArray<Column>, rows: Rows) => {
  const data = columns.map(({ name, type }) => ({ name, type, data: new Array<ParquetValue>(rows.length) }))
  let at = 0
  for (const row of rows) {
    for (const [column, { data: values, type }] of data.entries()) values[at] = parquetOf(type, row[column] ?? null)
    at++
  }
  return data.map(({ data, name }) => ({ name, data }))
}

const elementOf = ({ isRequired, name, type }: Column): SchemaElement => ({
  name,
  repetition_type: isRequired ? "REQUIRED" : "OPTIONAL",
  ...elements[type]
})

type ParquetValue = Value | Date

const parquetOf = (type: ColumnType, value: Value): ParquetValue => {
  if (value === null) return null
  if (type === "long") return BigInt(Number(value))
  return type === "instant" ? new Date(Number(value)) : value
}
