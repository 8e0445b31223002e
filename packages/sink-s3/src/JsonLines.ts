import { createGzip, createZstdCompress, constants as zlib } from "node:zlib"
import { DateTime, Effect, type Schema } from "effect"
import type { Column, Rows, Value } from "./Columns.ts"
import { collectChunks } from "./collectChunks.ts"
import type { Compression } from "./LakeOptions.ts"
import type { PartFormat } from "./PartFormat.ts"
import { textChunks } from "./textChunks.ts"

/** Rows go to the compressor in so many bytes: it works in a thread of its own, which waits for the next less often. */
const chunkLength = 1024 * 1024
/** They come from it in so many. */
const compressedLength = 256 * 1024
/** Text of more characters is long. */
const longText = 512
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
      Effect.promise(() => collectChunks(textChunks(linesOf(columns, rows), chunkLength), compress?.()))
  }
}

const compressors = {
  gzip: {
    suffix: ".gz",
    contentType: "application/gzip",
    compress: () => createGzip({ level: gzipLevel, chunkSize: compressedLength })
  },
  zstd: {
    suffix: ".zst",
    contentType: "application/zstd",
    compress: () =>
      createZstdCompress({ params: { [zlib.ZSTD_c_compressionLevel]: zstdLevel }, chunkSize: compressedLength })
  },
  none: { suffix: "", contentType: "application/x-ndjson", compress: undefined }
} as const

/**
 * Lines in pieces. A member is encoded again only where its value differs from the row before: rows of one page say the same of it.
 * Long text is a piece of its own: to put it together with others first would be to copy it.
 */
function* linesOf(columns: ReadonlyArray<Column>, rows: Rows): Generator<string> {
  const members = columns.map((column, at) => {
    const name = `${at === 0 ? "{" : ","}${JSON.stringify(column.name)}:`
    return { name, column, value: undefined as Value | undefined, text: "" }
  })
  for (const row of rows) {
    let line = ""
    for (let at = 0; at < members.length; at++) {
      const member = members[at]!
      const value = row[at]!
      if (typeof value === "string" && value.length > longText) {
        yield line + member.name
        yield JSON.stringify(value)
        line = ""
        continue
      }
      if (value !== member.value) {
        member.value = value
        member.text = member.name + JSON.stringify(jsonOf(member.column, value))
      }
      line += member.text
    }
    yield `${line}}\n`
  }
}

const jsonOf = ({ type }: Column, value: Value): Schema.Json => {
  if (typeof value === "bigint") return String(value)
  return type === "instant" && value !== null
    ? DateTime.formatIso(DateTime.makeUnsafe(Number(value)))
    : (value as Schema.Json)
}
