import { createHash } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { ReadableStream } from "node:stream/web"
import { dataDir } from "@electric-sql/pglite-prepopulatedfs"
import { type ReadEntry, t as readArchive } from "tar"

/**
 * Unpacks an empty database and answers the SHA-256 of each of its files, by their names in it. The archive's own reader unpacks
 * as well, but takes a disk that is full for a warning, and is slower.
 */
export const unpack = async (into: string): Promise<ReadonlyMap<string, string>> => {
  const hashes = new Map<string, string>()
  let failure: unknown
  const reader = readArchive({
    strict: true,
    onReadEntry: (entry) => {
      const chunks: Array<Buffer> = []
      entry.on("data", (chunk) => chunks.push(chunk))
      entry.on("end", () => {
        if (failure !== undefined) return
        try {
          writeEntry(into, entry, Buffer.concat(chunks), hashes)
        } catch (cause) {
          failure = cause
        }
      })
    }
  })
  await pipeline(Readable.fromWeb((await dataDir()).stream() as ReadableStream<Uint8Array>), reader)
  if (failure !== undefined) throw failure
  return hashes
}

const writeEntry = (into: string, entry: ReadEntry, bytes: Buffer, hashes: Map<string, string>): void => {
  const name = normalize(entry.path).replace(/^\/+/, "")
  if (name.split("/").includes("..")) throw new Error(`the archive of an empty database names ${entry.path}`)
  const path = join(into, name)
  if (entry.type === "Directory") {
    mkdirSync(path, { recursive: true })
    return
  }
  if (entry.type !== "File") throw new Error(`the archive of an empty database holds ${entry.path}, a ${entry.type}`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
  hashes.set(name, createHash("sha256").update(bytes).digest("hex"))
}
