/** The most bytes UTF-8 takes for a UTF-16 unit. */
const bytesAUnit = 3

/** Text as UTF-8, in chunks of a size; a text longer than that has a chunk of its own. */
export class TextChunks {
  readonly #size: number
  #buffer: Buffer
  #at = 0
  readonly #full: Array<Uint8Array> = []

  constructor(size: number) {
    this.#size = size
    this.#buffer = Buffer.allocUnsafeSlow(size)
  }

  add(text: string): void {
    if (text.length * bytesAUnit > this.#buffer.length - this.#at) this.#need(Buffer.byteLength(text))
    this.#at += this.#buffer.write(text, this.#at)
  }

  /** The chunks that are full; they are handed over, not kept. */
  take(): ReadonlyArray<Uint8Array> {
    return this.#full.splice(0)
  }

  /** All that is left. */
  end(): ReadonlyArray<Uint8Array> {
    if (this.#at > 0) this.#full.push(this.#buffer.subarray(0, this.#at))
    this.#at = this.#buffer.length
    return this.take()
  }

  #need(bytes: number): void {
    if (bytes <= this.#buffer.length - this.#at) return
    if (this.#at > 0) this.#full.push(this.#buffer.subarray(0, this.#at))
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(this.#size, bytes))
    this.#at = 0
  }
}
