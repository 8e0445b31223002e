import { pipeline, Readable } from "node:stream"
import { createInflate, createInflateRaw, type Inflate, type InflateRaw } from "node:zlib"

type Octets = AsyncIterable<Uint8Array>

/** The longest header of a gzip stream, with the name and the comment of a file. */
const maxHeader = 64 * 1024

/** Zlib or bare deflate, whichever it is: servers send both under one name. */
export async function* deflated(packed: Octets): AsyncGenerator<Uint8Array> {
  const { first, rest } = await atLeast(2, packed)
  const isZlib = first.byteLength >= 2 && ((first[0] ?? 0) & 0x0f) === 8 && first.readUInt16BE(0) % 31 === 0
  // Without its trailer it is all there as well: the checksum is not looked at.
  if (isZlib) yield* inflated(without(first, rest, ((first[1] ?? 0) & 0x20) === 0 ? 2 : 6), createInflateRaw())
  else yield* inflated(joined(first, rest), first.byteLength === 0 ? createInflate() : createInflateRaw())
}

/** What a gzip stream holds, with or without the trailer at its end; what follows is not looked at. */
export async function* gunzipped(packed: Octets): AsyncGenerator<Uint8Array> {
  let wanted = 10
  while (true) {
    const { first, rest } = await atLeast(wanted, packed)
    const length = headerLength(first)
    if (length !== undefined) return yield* inflated(without(first, rest, length), createInflateRaw())
    if (first.byteLength < wanted || first.byteLength > maxHeader) {
      throw Object.assign(new Error("incorrect header check"), { code: "Z_DATA_ERROR" })
    }
    packed = joined(first, rest)
    wanted = first.byteLength + 1
  }
}

/** How long the header is; undefined if it is not all there. */
const headerLength = (start: Buffer): number | undefined => {
  if (start.byteLength < 10 || start[0] !== 0x1f || start[1] !== 0x8b || start[2] !== 8) return undefined
  const flags = start[3] ?? 0
  let length = 10
  if ((flags & 4) !== 0) {
    if (start.byteLength < length + 2) return undefined
    length += 2 + start.readUInt16LE(length)
  }
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue
    const end = start.indexOf(0, length)
    if (end === -1) return undefined
    length = end + 1
  }
  if ((flags & 2) !== 0) length += 2
  return length <= start.byteLength ? length : undefined
}

const inflated = (packed: Octets, inflate: Inflate | InflateRaw): Octets =>
  pipeline(Readable.from(packed), inflate, () => undefined)

/** The first octets, if there are so many, and the rest of a stream. */
const atLeast = async (length: number, packed: Octets): Promise<{ readonly first: Buffer; readonly rest: Octets }> => {
  const iterator = packed[Symbol.asyncIterator]()
  let first = Buffer.alloc(0)
  while (first.byteLength < length) {
    const next = await iterator.next()
    if (next.done === true) break
    first = Buffer.concat([first, next.value])
  }
  return { first, rest: { [Symbol.asyncIterator]: () => iterator } }
}

async function* joined(first: Uint8Array, rest: Octets): AsyncGenerator<Uint8Array> {
  if (first.byteLength > 0) yield first
  yield* rest
}

const without = (first: Buffer, rest: Octets, length: number): Octets => joined(first.subarray(length), rest)
