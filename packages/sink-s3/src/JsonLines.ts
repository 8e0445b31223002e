import { Readable } from "node:stream"
import { buffer } from "node:stream/consumers"
import { createGzip, createZstdCompress, constants as zlib } from "node:zlib"
import { DateTime, Effect } from "effect"
import type { Column, Row, Value } from "./Columns.ts"
import type { Compression } from "./LakeOptions.ts"
import type { PartFormat } from "./PartFormat.ts"

/** Rows go to the compressor in text of about this many characters, and come from it in so many bytes. */
const chunkLength = 256 * 1024
/** gzip's default level takes twice the time of level 1 for a tenth less; zstd 3 is as fast as gzip 1, and smaller. */
const gzipLevel = 1
const zstdLevel = 3

/** A row a line. Every line has every column. */
export const jsonLines = (compression: Compression): PartFormat => {
  const { compress, contentType, suffix } = compressors[compression === "snappy" ? "none" : compression]
  return {
    extension: `jsonl${suffix}`,
    contentType,
    encode: (columns, rows) =>
      Effect.promise(() => {
        const lines = Readable.from(chunksOf(columns, rows))
        return buffer(compress === undefined ? lines : lines.pipe(compress()))
      })
  }
}

const compressors = {
  gzip: {
    suffix: ".gz",
    contentType: "application/gzip",
    compress: () => createGzip({ level: gzipLevel, chunkSize: chunkLength })
  },
  zstd: {
    suffix: ".zst",
    contentType: "application/zstd",
    compress: () =>
      createZstdCompress({ params: { [zlib.ZSTD_c_compressionLevel]: zstdLevel }, chunkSize: chunkLength })
  },
  none: { suffix: "", contentType: "application/x-ndjson", compress: undefined }
} as const

function* chunksOf(columns: ReadonlyArray<Column>, rows: ReadonlyArray<Row>): Generator<Buffer> {
  const names = columns.map(({ name }, at) => `${at === 0 ? "{" : ","}${JSON.stringify(name)}:`)
  // A page's links, and all pages of a job, have values in common: they are written once.
  const before: Array<Value | undefined> = columns.map(() => undefined)
  const written = columns.map(() => "")
  let text = ""
  for (const row of rows) {
    for (let at = 0; at < names.length; at++) {
      const value = row[at]!
      if (value !== before[at]) {
        before[at] = value
        written[at] = names[at]! + jsonOf(columns[at]!, value)
      }
      text += written[at]
    }
    text += "}\n"
    if (text.length < chunkLength) continue
    yield Buffer.from(text)
    text = ""
  }
  if (text !== "") yield Buffer.from(text)
}

const jsonOf = ({ type }: Column, value: Value): string => {
  if (value === null) return "null"
  if (typeof value === "bigint") return `"${value}"`
  if (type === "instant") return JSON.stringify(DateTime.formatIso(DateTime.makeUnsafe(Number(value))))
  return typeof value === "number" ? String(value) : JSON.stringify(value)
}
