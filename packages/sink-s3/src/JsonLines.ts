import { createGzip, createZstdCompress, constants as zlib } from "node:zlib"
import { DateTime, Effect, type Schema } from "effect"
import type { Column, Rows, Value } from "./Columns.ts"
import { gathered } from "./gathered.ts"
import type { Compression } from "./LakeOptions.ts"
import type { PartFormat } from "./PartFormat.ts"
import { TextChunks } from "./TextChunks.ts"

/** Rows go to the compressor, and come from it, in so many bytes. */
const chunkLength = 256 * 1024
/** Characters from which on a member of a line is long. */
const longMember = 512
/** gzip's default level takes twice the time of level 1 for a tenth less; zstd 3 is as fast as gzip 1, and smaller. */
const gzipLevel = 1
const zstdLevel = 3

/** A row a line. Every line has every column. */
export const jsonLines = (compression: Compression): PartFormat => {
  const { compress, contentType, suffix } = compressors[compression === "snappy" ? "none" : compression]
  return {
    extension: `jsonl${suffix}`,
    contentType,
    encode: (columns, rows) => Effect.promise(() => gathered(chunksOf(columns, rows), compress?.()))
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

/**
 * Lines are put together of members, and a member is written anew only where its value is not that of the row before: rows of one
 * page say the same of it. Long members go straight into the chunk: putting text together first takes ten times as long.
 */
function* chunksOf(columns: ReadonlyArray<Column>, rows: Rows): Generator<Uint8Array> {
  const members = columns.map((column, at) => {
    const name = `${at === 0 ? "{" : ","}${JSON.stringify(column.name)}:`
    return { name, column, value: undefined as Value | undefined, text: "" }
  })
  const chunks = new TextChunks(chunkLength)
  for (const row of rows) {
    let line = ""
    for (let at = 0; at < members.length; at++) {
      const member = members[at]!
      const value = row[at]!
      if (value !== member.value) {
        member.value = value
        member.text = member.name + JSON.stringify(jsonOf(member.column, value))
      }
      if (member.text.length < longMember) line += member.text
      else {
        chunks.add(line)
        chunks.add(member.text)
        line = ""
      }
    }
    chunks.add(`${line}}\n`)
    yield* chunks.take()
  }
  yield* chunks.end()
}

const jsonOf = ({ type }: Column, value: Value): Schema.Json => {
  if (typeof value === "bigint") return String(value)
  return type === "instant" && value !== null
    ? DateTime.formatIso(DateTime.makeUnsafe(Number(value)))
    : (value as Schema.Json)
}
