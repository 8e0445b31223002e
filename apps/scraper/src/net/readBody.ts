import { pipeline, Readable, type Transform } from "node:stream"
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib"
import { finalFailure, PageFailure } from "./PageFailure.ts"

/** The encodings of {@link readBody}, as they are asked for. */
export const acceptEncoding = "gzip, deflate, br, zstd"

/** A body that grows past this many bytes counts as large. */
const smallBodyBytes = 256 * 1024
/** Encodings around each other that are taken off. */
const maxEncodings = 2
/** A body that unpacks to less is no bomb, whatever it was packed into. */
const freeBytes = 1024 * 1024
/** How long a body may take before its pace is looked at. */
const graceMs = 10_000

/** How a body is read. */
export interface BodyLimits {
  readonly status: number
  /** The `Content-Encoding` header. */
  readonly encoding: string
  /** The `Content-Length` header. */
  readonly length: string | undefined
  /** Most bytes of the body, unpacked; a larger one fails, or is cut off there. */
  readonly maxBytes: number
  readonly beyondMax: "fail" | "truncate"
  readonly maxInflation: number
  readonly minBytesPerSecond: number
  /** Called once, before more than {@link smallBodyBytes} are held; reading goes on when it is done. */
  readonly grow: () => Promise<void>
}

/** Reads a body and unpacks it, both a piece at a time. Fails with a `PageFailure` or the error of the stream. */
export const readBody = async (body: Readable, limits: BodyLimits): Promise<Uint8Array> => {
  const { beyondMax, grow, maxBytes, maxInflation, status } = limits
  const decoders = decodersOf(limits.encoding, status)
  const tooLarge = () => finalFailure("PAGE_TOO_LARGE", `The page is larger than ${maxBytes} bytes`, status)
  if (beyondMax === "fail" && decoders.length === 0 && Number(limits.length) > maxBytes) throw tooLarge()
  const wire = new Wire(limits)
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of unpacked(wire.watch(body), decoders)) {
    const before = size
    size += chunk.byteLength
    if (decoders.length > 0 && size > freeBytes && size > wire.bytes * maxInflation) {
      throw finalFailure("COMPRESSION_BOMB", `The body unpacks to more than ${maxInflation} times its size`, status)
    }
    if (before <= smallBodyBytes && size > smallBodyBytes) await wire.unwatched(grow)
    chunks.push(chunk)
    if (size > maxBytes) {
      if (beyondMax === "truncate") break
      throw tooLarge()
    }
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}

/** What has come over the wire, and how fast. */
class Wire {
  bytes = 0
  private readonly limits: BodyLimits
  private startedAt = performance.now()

  constructor(limits: BodyLimits) {
    this.limits = limits
  }

  async *watch(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { minBytesPerSecond } = this.limits
    for await (const chunk of body) {
      this.bytes += chunk.byteLength
      const elapsedMs = performance.now() - this.startedAt
      if (elapsedMs > graceMs && this.bytes * 1000 < minBytesPerSecond * elapsedMs) {
        throw new PageFailure({
          code: "TIMEOUT",
          message: `The target sends less than ${minBytesPerSecond} bytes a second`,
          retryable: false,
          httpStatus: null
        })
      }
      yield chunk
    }
  }

  /** Time that the target is not to be blamed for. */
  async unwatched(pause: () => Promise<void>): Promise<void> {
    const pausedAt = performance.now()
    await pause()
    this.startedAt += performance.now() - pausedAt
  }
}

const unpacked = (wire: AsyncIterable<Uint8Array>, decoders: ReadonlyArray<Transform>): AsyncIterable<Uint8Array> =>
  decoders.length === 0
    ? wire
    : // The reader of the last stream sees every error: `pipeline` destroys what follows with it.
      decoders.reduce<Readable>((stream, decoder) => pipeline(stream, decoder, () => undefined), Readable.from(wire))

const decodersOf = (encoding: string, status: number): ReadonlyArray<Transform> => {
  const names = encoding
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity")
  if (names.length > maxEncodings) {
    throw finalFailure("CONVERSION_ERROR", `More than ${maxEncodings} content encodings around each other`, status)
  }
  return names.reverse().map((name) => {
    const decoder = decoderFor[name]
    if (decoder === undefined) throw finalFailure("CONVERSION_ERROR", `Unknown content encoding ${name}`, status)
    return decoder()
  })
}

const decoderFor: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(),
  "x-gzip": () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress()
}
