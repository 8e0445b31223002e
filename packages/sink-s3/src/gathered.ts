import { PassThrough, Readable, type Transform } from "node:stream"
import { pipeline } from "node:stream/promises"

/** What becomes of chunks that go through a transform, in one piece. Fails with whatever fails on the way. */
export const gathered = async (
  chunks: Iterable<Uint8Array>,
  through: Transform = new PassThrough()
): Promise<Uint8Array> => {
  const gathered: Array<Uint8Array> = []
  await pipeline(Readable.from(chunks), through, async (source: AsyncIterable<Uint8Array>) => {
    for await (const chunk of source) gathered.push(chunk)
  })
  return Buffer.concat(gathered)
}
