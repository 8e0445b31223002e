import { stringify } from "csv-stringify/sync"
import { parquetFormat } from "./parquetFormat.ts"
import type { RowEncoder } from "./RowEncoder.ts"
import { csvCell, jsonRow, uniqueNames } from "./rowValues.ts"
import { type TableWidth, tableFormat } from "./tableFormat.ts"

/** How rows are written. */
export const rowFormats = ["table", "csv", "jsonl", "json", "markdown", "parquet"] as const
export type RowFormat = (typeof rowFormats)[number]

/** An encoder of one answer. */
export const rowEncoder = (format: RowFormat, width: TableWidth): RowEncoder => {
  switch (format) {
    case "table":
      return tableFormat(width)
    case "csv":
      return csv()
    case "jsonl":
      return jsonLines()
    case "json":
      return json()
    case "markdown":
      return markdown()
    case "parquet":
      return parquetFormat()
  }
}

/** RFC 4180: a head, CRLF, quotes where they are needed. An empty text is in quotes, and null is nothing. */
const csv = (): RowEncoder => {
  const lines = (rows: ReadonlyArray<ReadonlyArray<unknown>>) =>
    stringify(
      rows.map((row) => row.map((value) => (value === null || value === undefined ? null : csvCell(value)))),
      { record_delimiter: "\r\n", quoted_match: [/^$/, /[\r\n]/] }
    )
  return {
    begin: async (columns) => (columns.length === 0 ? "" : lines([columns.map(({ name }) => name)])),
    rows: lines,
    end: () => ""
  }
}

const jsonLines = (): RowEncoder => {
  let names: ReadonlyArray<string> = []
  return {
    begin: async (columns) => {
      names = uniqueNames(columns)
      return ""
    },
    rows: (rows) => rows.map((row) => `${jsonRow(names, row)}\n`).join(""),
    end: () => ""
  }
}

const json = (): RowEncoder => {
  let names: ReadonlyArray<string> = []
  let separator = ""
  return {
    begin: async (columns) => {
      names = uniqueNames(columns)
      return "["
    },
    rows: (rows) =>
      rows
        .map((row) => {
          const text = `${separator}${jsonRow(names, row)}`
          separator = ","
          return text
        })
        .join(""),
    end: () => "]\n"
  }
}

/** A table of GitHub's Markdown. */
const markdown = (): RowEncoder => {
  const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |\n`
  const escaped = (value: unknown) =>
    csvCell(value)
      .replace(/[\\|`*_<>[\]]/g, (found) => `\\${found}`)
      .replace(/\r\n|\r|\n/g, "<br>")
  return {
    begin: async (columns) =>
      columns.length === 0 ? "" : line(columns.map(({ name }) => escaped(name))) + line(columns.map(() => "---")),
    rows: (rows) => rows.map((row) => line(row.map(escaped))).join(""),
    end: () => ""
  }
}
