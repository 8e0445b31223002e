import { type ParquetColumnType, ParquetRows } from "@sluice/sink-s3"
import type { RowEncoder } from "./RowEncoder.ts"
import { csvCell, uniqueNames } from "./rowValues.ts"

/** Types of Postgres by their OIDs; all others are text. */
const types: ReadonlyMap<number, ParquetColumnType> = new Map([
  [16, "boolean"],
  [21, "int"],
  [23, "int"],
  [26, "long"],
  [20, "long"],
  [700, "double"],
  [701, "double"],
  [1184, "instant"],
  [114, "json"],
  [3802, "json"]
])

/** Rows of a row group: one of a few would cost more than it holds. */
const groupRows = 10_000
/** About how many characters of a row group wait in memory. */
const groupCharacters = 32 * 1024 * 1024

/** One Parquet file. Rows wait until they are worth a row group. */
export const parquetFormat = (): RowEncoder => {
  let parquet: ParquetRows | undefined
  let columns: ReadonlyArray<{ readonly name: string; readonly type: ParquetColumnType }> = []
  let waiting: Array<ReadonlyArray<unknown>> = []
  let characters = 0
  const flush = (): Uint8Array => {
    const rows = waiting
    waiting = []
    characters = 0
    return parquet?.rows(rows) ?? new Uint8Array()
  }
  return {
    begin: async (answered) => {
      const names = uniqueNames(answered)
      columns = answered.map(({ type }, at) => ({ name: names[at]!, type: types.get(type) ?? "text" }))
      parquet = await ParquetRows.open(columns)
      return new Uint8Array()
    },
    rows: (rows) => {
      for (const row of rows) {
        const values = columns.map(({ name, type }, at) => valueOf(type, row[at], name))
        for (const value of values) characters += typeof value === "string" ? value.length : 8
        waiting.push(values)
      }
      return waiting.length >= groupRows || characters >= groupCharacters ? flush() : new Uint8Array()
    },
    end: () => {
      const last = flush()
      return Buffer.concat([last, parquet?.end() ?? new Uint8Array()])
    }
  }
}

/** A value that Parquet's type cannot hold, such as an infinite time. */
export class NotInParquet extends Error {}

const valueOf = (type: ParquetColumnType, value: unknown, name: string): unknown => {
  if (value === null || value === undefined) return null
  switch (type) {
    case "long":
      return BigInt(String(value))
    case "double":
      return Number(value === "Infinity" || value === "-Infinity" || value === "NaN" ? String(value) : value)
    case "instant": {
      const at = Date.parse(String(value))
      if (Number.isNaN(at))
        throw new NotInParquet(`column "${name}" holds a time that Parquet has no value for: cast the column to text`)
      return new Date(at)
    }
    case "json":
      // What is given is written as JSON.
      return value
    case "text":
      return csvCell(value)
    default:
      return value
  }
}
