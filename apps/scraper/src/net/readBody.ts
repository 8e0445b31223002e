import { type Duplex, pipeline, Readable } from "node:stream"
import { createBrotliDecompress, createZstdDecompress } from "node:zlib"
import { deflated, gunzipped } from "./lenientInflate.ts"
import { finalFailure, PageFailure } from "./PageFailure.ts"

/** The encodings of {@link readBody}, as they are asked for. */
export const acceptEncoding = "gzip, deflate, br, zstd"

/** A body that grows past this many bytes counts as large. */
const smallBodyBytes = 256 * 1024
/** Encodings around each other that are taken off. */
const maxEncodings = 4
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

type Decoder = (packed: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>

const unpacked = (wire: AsyncIterable<Uint8Array>, decoders: ReadonlyArray<Decoder>): AsyncIterable<Uint8Array> =>
  decoders.reduce((stream, decoder) => decoder(stream), wire)

/** The reader of the last stream sees every error: `pipeline` destroys what follows with it. */
const by =
  (make: () => Duplex): Decoder =>
  (packed) =>
    pipeline(Readable.from(packed), make(), () => undefined)

/** An unknown name makes all of them unknown: the body is what it is, as in browsers. */
const decodersOf = (encoding: string, status: number): ReadonlyArray<Decoder> => {
  const names = encoding
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity")
  const decoders = names.reverse().map((name) => decoderFor.get(name))
  if (decoders.length > maxEncodings) {
    throw finalFailure("CONVERSION_ERROR", `More than ${maxEncodings} content encodings around each other`, status)
  }
  return decoders.every((decoder) => decoder !== undefined) ? decoders : []
}

const decoderFor: ReadonlyMap<string, Decoder> = new Map([
  ["gzip", gunzipped],
  ["x-gzip", gunzipped],
  ["deflate", deflated],
  ["br", by(createBrotliDecompress)],
  ["zstd", by(createZstdDecompress)]
])
