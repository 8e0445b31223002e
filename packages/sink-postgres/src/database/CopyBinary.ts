const chunkSize = 256 * 1024
/** Of two chunks that follow each other at least one is larger than this. */
export const largerOfTwo: number = chunkSize / 2
const signature = Uint8Array.of(0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0)

/**
 * Writes rows in COPY's binary format into chunks: nothing is escaped, and text is encoded in place. Text must be free of
 * NUL and lone surrogates, integers within their column's type.
 */
export class CopyBinary {
  #buffer: Buffer
  #view: DataView
  #at = 0
  readonly #full: Array<Buffer> = []
  #spare: ArrayBufferLike | undefined

  constructor() {
    this.#buffer = Buffer.allocUnsafeSlow(chunkSize)
    this.#view = viewOf(this.#buffer)
    this.#buffer.set(signature)
    this.#at = signature.length
  }

  /** Begins a row of so many fields. */
  row(fields: number): void {
    this.#need(2)
    this.#view.setInt16(this.#at, fields)
    this.#at += 2
  }

  int4(value: number | null): void {
    if (value === null) {
      this.#null()
      return
    }
    this.#need(8)
    this.#view.setInt32(this.#at, 4)
    this.#view.setInt32(this.#at + 4, value)
    this.#at += 8
  }

  int8(value: bigint | null): void {
    if (value === null) {
      this.#null()
      return
    }
    this.#need(12)
    this.#view.setInt32(this.#at, 8)
    this.#view.setBigInt64(this.#at + 4, value)
    this.#at += 12
  }

  text(value: string | null): void {
    if (value === null) {
      this.#null()
      return
    }
    // Three bytes a UTF-16 unit are the most UTF-8 takes; counting first pays only where that guess would be a big one.
    const most = value.length > chunkSize / 12 ? Buffer.byteLength(value) : value.length * 3
    this.#need(4 + most)
    const written = this.#buffer.write(value, this.#at + 4)
    this.#view.setInt32(this.#at, written)
    this.#at += 4 + written
  }

  /** A JSON value as `jsonb`; null is no value. */
  jsonb(value: object | null): void {
    if (value === null) {
      this.#null()
      return
    }
    const json = JSON.stringify(value)
    const length = Buffer.byteLength(json)
    this.#need(5 + length)
    this.#view.setInt32(this.#at, 1 + length)
    this.#buffer[this.#at + 4] = jsonbVersion
    this.#buffer.write(json, this.#at + 5)
    this.#at += 5 + length
  }

  /** A one-dimensional `text[]`. */
  textArray(values: ReadonlyArray<string>): void {
    const lengths = values.map((value) => Buffer.byteLength(value))
    const header = values.length === 0 ? 12 : 20
    this.int4s(
      lengths.reduce((sum, length) => sum + 4 + length, header),
      values.length === 0 ? 0 : 1,
      0,
      textOid
    )
    if (values.length > 0) this.int4s(values.length, 1)
    for (const value of values) this.text(value)
  }

  /** Bare integers, without a length before them. */
  int4s(...values: ReadonlyArray<number>): void {
    this.#need(4 * values.length)
    for (const value of values) {
      this.#view.setInt32(this.#at, value)
      this.#at += 4
    }
  }

  /** The chunks that are full. They are the taker's until it gives them back. */
  take(): ReadonlyArray<Buffer> {
    return this.#full.length === 0 ? none : this.#full.splice(0)
  }

  /** Takes back a chunk that nobody reads any more. */
  recycle({ buffer }: Buffer): void {
    if (buffer.byteLength === chunkSize) this.#spare = buffer
  }

  /** Ends the stream of rows and answers what is left of it. */
  end(): ReadonlyArray<Buffer> {
    this.#need(2)
    this.#view.setInt16(this.#at, -1)
    this.#at += 2
    this.#full.push(this.#buffer.subarray(0, this.#at))
    return this.take()
  }

  #null(): void {
    this.#need(4)
    this.#view.setInt32(this.#at, -1)
    this.#at += 4
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    if (this.#at > 0) this.#full.push(this.#buffer.subarray(0, this.#at))
    this.#buffer =
      this.#spare !== undefined && bytes <= chunkSize
        ? Buffer.from(this.#spare)
        : Buffer.allocUnsafeSlow(Math.max(chunkSize, bytes))
    this.#spare = undefined
    this.#view = viewOf(this.#buffer)
    this.#at = 0
  }
}

const none: ReadonlyArray<Buffer> = []

const textOid = 25
const jsonbVersion = 1

const viewOf = (buffer: Buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)

/**
 * Encodes items one by one, as fast as the chunks are pulled. A chunk is what it was until the next but one is asked for, when
 * its memory is written again: were each a new one, V8 would collect all of the heap again and again for memory outside of it.
 */
export function* encodeRows<A>(
  items: Iterable<A>,
  write: (copy: CopyBinary, item: A) => void
): Generator<Uint8Array, void> {
  const copy = new CopyBinary()
  let before: Buffer | undefined
  for (const item of items) {
    write(copy, item)
    for (const chunk of copy.take()) {
      yield chunk
      if (before !== undefined) copy.recycle(before)
      before = chunk
    }
  }
  yield* copy.end()
}
