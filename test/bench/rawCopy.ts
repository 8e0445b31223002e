import { createReadStream, createWriteStream } from "node:fs"
import { join } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { Database } from "@sluice/sink-postgres"
import { Effect } from "effect"
import { fingerprint } from "../../packages/sink-postgres/src/pages/Fingerprint.ts"
import {
  encodeLinks,
  encodeMetadata,
  encodePages,
  linksTarget,
  metadataTarget,
  pagesTarget,
  type RowKeyedRecord
} from "../../packages/sink-postgres/src/pages/Rows.ts"
import type { Segments } from "./segments.ts"

/** As many as the sink uses. */
const connections = 2

function* keyedOf(segments: Segments, lane: number): Generator<RowKeyedRecord> {
  for (let seq = lane; seq < segments.count; seq += connections) {
    const records = segments.of("raw", seq).toSorted((a, b) => (a.key < b.key ? -1 : 1))
    for (const record of records)
      yield { record, setNo: 1, jobNo: 1, mayExist: false, fingerprint: fingerprint(record) }
  }
}

const encoders = [
  [pagesTarget, encodePages],
  [linksTarget, encodeLinks],
  [metadataTarget, encodeMetadata]
] as const

const lanes = Array.from({ length: connections }, (_, lane) => lane)

/** Writes the bytes of the raw load to files, one a connection and table, and answers how many there are. */
export const encodeFiles = async (segments: Segments, folder: string): Promise<number> => {
  let bytes = 0
  const counted = function* (chunks: Iterable<Uint8Array>) {
    for (const chunk of chunks) {
      bytes += chunk.length
      yield Buffer.from(chunk)
    }
  }
  for (const lane of lanes) {
    for (const [table, [, encode]] of encoders.entries()) {
      const file = createWriteStream(join(folder, `${lane}-${table}`))
      await pipeline(Readable.from(counted(encode(keyedOf(segments, lane)))), file)
    }
  }
  return bytes
}

/** COPY of the files into the sink's tables: the same rows with the same keys, and nothing that would make sure of them. */
export const rawCopy = (database: Database, folder: string) =>
  Effect.forEach(
    lanes,
    (lane) =>
      Effect.forEach(encoders, ([target], table) =>
        database.transaction((tx) =>
          tx.copyIn(target, createReadStream(join(folder, `${lane}-${table}`), { highWaterMark: 262144 }))
        )
      ),
    { concurrency: connections }
  )
