import { Option } from "effect"
import { charsetOf } from "./ContentType.ts"

/**
 * The text of a body: its byte-order mark decides, else the `Content-Type` header, else an XML declaration or a `<meta>`
 * among the first 1,024 bytes, else UTF-8 if the bytes are valid UTF-8, else windows-1252. A label nobody knows is
 * passed over.
 */
export const decodeText = (body: Uint8Array, contentType: string): string => {
  const bom = bomEncoding(body)
  if (bom !== undefined) return new TextDecoder(bom).decode(body)
  const header = Option.flatMap(Option.fromUndefinedOr(charsetOf(contentType)), decoderFor)
  if (Option.isSome(header)) return header.value.decode(body)
  const declared = Option.flatMap(Option.fromUndefinedOr(declaredCharset(body)), decoderFor)
  if (Option.isSome(declared)) return declared.value.decode(body)
  return Option.getOrElse(strictUtf8(body), () => new TextDecoder("windows-1252").decode(body))
}

const xmlEncoding = /^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"']+)/i
const metaCharset = /<meta\s[^>]*?charset\s*=\s*["']?\s*([^\s"'/>;]+)/i

const decoderFor = Option.liftThrowable((label: string) => new TextDecoder(label))
const strictUtf8 = Option.liftThrowable((body: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(body))

const bomEncoding = (body: Uint8Array): string | undefined => {
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) return "utf-8"
  if (body[0] === 0xfe && body[1] === 0xff) return "utf-16be"
  if (body[0] === 0xff && body[1] === 0xfe) return "utf-16le"
  return undefined
}

const declaredCharset = (body: Uint8Array): string | undefined => {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 1024)).toString("latin1")
  const label = metaCharset.exec(start)?.[1] ?? xmlEncoding.exec(start)?.[1]
  // Bytes that spell `<meta` in ASCII cannot be UTF-16, whatever they claim.
  return label !== undefined && /^utf-?16/i.test(label) ? "utf-8" : label
}
