import type { Transform } from "node:stream"
import { finished } from "node:stream/promises"

/**
 * What a compressor makes of chunks, in one piece; without one, the chunks. A chunk is needed until the next but one is asked for: while
 * one is compressed, another is made. Fails with whatever fails on the way.
 */
export const collectChunks = async (chunks: Iterable<Uint8Array>, through?: Transform): Promise<Uint8Array> => {
  if (through === undefined) return Buffer.concat(Array.from(chunks, (chunk) => Buffer.from(chunk)))
  const collectChunks: Array<Uint8Array> = []
  through.on("data", (chunk: Uint8Array) => collectChunks.push(chunk))
  await Promise.all([finished(through), write(chunks, through)])
  return Buffer.concat(collectChunks)
}

const write = async (chunks: Iterable<Uint8Array>, through: Transform): Promise<void> => {
  try {
    let before = Promise.resolve()
    for (const chunk of chunks) {
      await before
      before = new Promise((resolve, reject) => {
        through.write(chunk, (error) => (error ? reject(error) : resolve()))
      })
    }
    await before
    through.end()
  } catch (cause) {
    through.destroy(cause as Error)
    throw cause
  }
}
