/** The most bytes UTF-8 takes for a UTF-16 unit. */
const bytesAUnit = 3

/**
 * Texts as UTF-8, in chunks of a size; a text that is longer has a chunk of its own. Two buffers alternate: a chunk is what it was
 * until the next but one is asked for. A new one each time would be memory outside the heap, for which V8 collects all of the heap.
 */
export function* textChunks(texts: Iterable<string>, size: number): Generator<Uint8Array> {
  const buffers = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)] as const
  let turn: 0 | 1 = 0
  let buffer = buffers[turn]
  let at = 0
  for (const text of texts) {
    if (text.length * bytesAUnit > buffer.length - at) {
      const bytes = Buffer.byteLength(text)
      if (bytes > buffer.length - at) {
        if (at > 0) yield buffer.subarray(0, at)
        turn = turn === 0 ? 1 : 0
        buffer = bytes > size ? Buffer.allocUnsafeSlow(bytes) : buffers[turn]
        at = 0
      }
    }
    at += buffer.write(text, at)
  }
  if (at > 0) yield buffer.subarray(0, at)
}
