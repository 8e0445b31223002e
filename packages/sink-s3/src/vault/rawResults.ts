import { promisify } from "node:util"
import { createZstdCompress, constants as zlib, zstdDecompress } from "node:zlib"
import type { PageRecord } from "@sluice/core"
import { recordOfLine, type Segment, storedLines } from "@sluice/core/sink"
import { Effect } from "effect"
import { collectChunks } from "../collectChunks.ts"
import { type NewObject, objectOf } from "../ObjectStore.ts"
import { conflict, type StoreError } from "../StoreError.ts"
import { textChunks } from "../textChunks.ts"

/** Fast, and an eighth larger than zstd's default. */
const zstdLevel = 1
/** Lines go to the compressor, and come from it, in so many bytes. */
const chunkLength = 256 * 1024

const decompress = promisify(zstdDecompress)

/** The pages of a segment, with the results they were made of, as one object. */
export const rawResultsOf = (segment: Segment): Effect.Effect<NewObject> =>
  Effect.promise(async () => {
    const compress = createZstdCompress({
      params: { [zlib.ZSTD_c_compressionLevel]: zstdLevel },
      chunkSize: chunkLength
    })
    return objectOf(await collectChunks(textChunks(storedLines(segment), chunkLength), compress), "application/zstd")
  })

/** The records of what {@link rawResultsOf} wrote. An object that has been changed since is refused. */
export const recordsOf = Effect.fnUntraced(function* (
  key: string,
  sha256: string,
  bytes: Uint8Array | undefined
): Effect.fn.Return<ReadonlyArray<PageRecord>, StoreError> {
  if (bytes === undefined)
    return yield* conflict("read", key, "answers that were kept are not there: they have been removed")
  if (objectOf(bytes, "").sha256 !== sha256)
    return yield* conflict("read", key, "answers that were kept have been changed since")
  const text = yield* Effect.tryPromise({
    try: () => decompress(bytes),
    catch: () => conflict("read", key, "answers that were kept cannot be decompressed")
  })
  const records: Array<PageRecord> = []
  for (let from = 0; from < text.length; ) {
    const to = text.indexOf(10, from)
    const record = recordOfLine(text.toString("utf8", from, to < 0 ? text.length : to))
    if (record === undefined)
      return yield* conflict("read", key, "answers that were kept are none this version of Sluice can read")
    records.push(record)
    from = to < 0 ? text.length : to + 1
  }
  return records
})
