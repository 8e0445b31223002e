import { checkChecksum, checkContentMd5, givenChecksum } from "./Checksums.ts"
import { S3Error } from "./S3Error.ts"
import type { S3Target } from "./S3Request.ts"
import { chunkSignature, mismatch, type Signing, sha256, trailerSignature } from "./Signature.ts"

/** A payload without its framing, and what came behind it. */
interface Payload {
  readonly body: Buffer
  readonly trailers: ReadonlyMap<string, string>
}

/**
 * Takes the framing off a payload and verifies it in all ways it can be: against the hash or the chunks' signatures of the
 * request's signature, its length, its `Content-MD5`, and the checksum in its headers or trailers.
 */
export const verifyPayload = (target: S3Target, raw: Buffer, signing: Signing): Payload => {
  const payload = unframed(target, raw, signing)
  const md5 = target.headers.get("content-md5")
  if (md5 !== undefined) checkContentMd5(md5, payload.body)
  // The checksum a request to complete an upload has is one of the object.
  if (target.method === "POST" && target.query.has("uploadId")) return payload
  const checksum = givenChecksum(new Map([...target.headers, ...payload.trailers]))
  if (checksum !== undefined) checkChecksum(checksum, payload.body)
  return payload
}

const unframed = (target: S3Target, raw: Buffer, signing: Signing): Payload => {
  const kind = target.headers.get("x-amz-content-sha256") ?? ""
  if (kind.startsWith("STREAMING-")) return streamed(target, raw, signing, kind)
  if (target.headers.has("x-amz-trailer")) throw malformedTrailer()
  if (target.headers.has("transfer-encoding")) {
    throw new S3Error("NotImplemented", "A header you provided implies functionality that is not implemented.", {
      Header: "Transfer-Encoding"
    })
  }
  if (target.method === "PUT" && !target.headers.has("content-length")) throw missingLength()
  if (kind !== "UNSIGNED-PAYLOAD" && kind !== sha256(raw)) {
    if (!/^[\da-f]{64}$/.test(kind)) {
      throw new S3Error("InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-.. or a SHA-256.")
    }
    throw new S3Error("XAmzContentSHA256Mismatch", "The x-amz-content-sha256 does not match what was computed.")
  }
  return { body: raw, trailers: new Map() }
}

/** The forms of a payload in chunks (`aws-chunked`): what they hold besides the bytes. */
const forms: Readonly<Record<string, { readonly isSigned: boolean; readonly hasTrailers: boolean }>> = {
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": { isSigned: false, hasTrailers: true },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": { isSigned: true, hasTrailers: false },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": { isSigned: true, hasTrailers: true }
}

/** Only the last chunk may be smaller. */
const leastChunk = 8192

const streamed = (target: S3Target, raw: Buffer, signing: Signing, kind: string): Payload => {
  const form = forms[kind]
  if (form === undefined) throw new S3Error("NotImplemented", `This server has no ${kind}.`)
  const length = target.headers.get("x-amz-decoded-content-length")
  if (length === undefined || !/^\d+$/.test(length)) throw missingLength()
  const chunks: Array<Buffer> = []
  let before = signing.seed
  let at = 0
  while (true) {
    const [head, start] = lineAt(raw, at)
    const found = /^([\da-f]+)(?:;chunk-signature=([\da-f]{64}))?$/i.exec(head)
    if (found === null || (found[2] !== undefined) !== form.isSigned) throw incomplete()
    const size = Number.parseInt(found[1] ?? "", 16)
    const chunk = raw.subarray(start, start + size)
    if (chunk.length < size) throw incomplete()
    if (form.isSigned && chunkSignature(signing, before, chunk) !== found[2]) throw mismatch()
    before = found[2] ?? before
    at = start + size
    if (size === 0) break
    const last = chunks.at(-1)
    if (last !== undefined && last.length < leastChunk) {
      throw new S3Error("InvalidChunkSizeError", `Only the last chunk may have a size less than ${leastChunk} bytes.`)
    }
    chunks.push(chunk)
    const [gap, next] = lineAt(raw, at)
    if (gap !== "") throw incomplete()
    at = next
  }
  const body = Buffer.concat(chunks)
  if (body.length !== Number(length)) throw incomplete()
  return { body, trailers: trailersOf(target, raw.subarray(at).toString("latin1"), before, signing, form) }
}

const trailersOf = (
  target: S3Target,
  text: string,
  before: string,
  signing: Signing,
  { hasTrailers, isSigned }: { readonly isSigned: boolean; readonly hasTrailers: boolean }
): ReadonlyMap<string, string> => {
  if (!text.endsWith("\r\n")) throw incomplete()
  const lines = text.split(/\r?\n/).filter((line) => line !== "")
  const trailers = new Map(
    lines.map((line) => {
      const cut = line.indexOf(":")
      if (cut < 1) throw malformedTrailer()
      return [line.slice(0, cut).toLowerCase(), line.slice(cut + 1).trim()] as const
    })
  )
  const signature = trailers.get("x-amz-trailer-signature")
  trailers.delete("x-amz-trailer-signature")
  const announced = (target.headers.get("x-amz-trailer") ?? "")
    .toLowerCase()
    .split(",")
    .filter((name) => name !== "")
  if (announced.length !== trailers.size || announced.some((name) => !trailers.has(name))) throw malformedTrailer()
  if (trailers.size > 0 && !hasTrailers) throw malformedTrailer()
  if (hasTrailers && isSigned) {
    const canonical = [...trailers].map(([name, value]) => `${name}:${value}\n`).join("")
    if (signature !== trailerSignature(signing, before, canonical)) throw mismatch()
  }
  return trailers
}

/** The line that begins at an offset, and where the next one does. */
const lineAt = (raw: Buffer, at: number): readonly [line: string, next: number] => {
  const end = raw.indexOf("\r\n", at)
  if (end === -1) throw incomplete()
  return [raw.toString("latin1", at, end), end + 2]
}

const incomplete = () =>
  new S3Error("IncompleteBody", "The request body terminated unexpectedly, or is not as long as its header says.")

const missingLength = () => new S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.")

const malformedTrailer = () =>
  new S3Error("MalformedTrailerError", "The request contained trailing data that was not well-formed.")
