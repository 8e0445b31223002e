import { MIMEType } from "whatwg-mimetype"

/** What can be made of content: HTML is converted, text is its own Markdown, code (JSON, XML, feeds) a fenced block. */
export type ContentKind = "html" | "text" | "code"

/**
 * The media type of a `Content-Type` header, in lower case and without its parameters. A header that is no media type, such as
 * `html`, is returned as it is.
 */
export const mediaType = (contentType: string): string =>
  MIMEType.parse(contentType)?.essence ?? (contentType.split(";")[0] ?? "").trim().toLowerCase()

/** The `charset` of a `Content-Type` header. Headers that are not well-formed are searched for one. */
export const charsetOf = (contentType: string): string | undefined =>
  MIMEType.parse(contentType)?.parameters.get("charset") ?? anyCharset.exec(contentType)?.[1]

const anyCharset = /charset\s*=\s*["']?([^\s"';,]+)/i

/** What a `Content-Type` says of content: its kind, that only the content can tell, or that nothing can be made of it. */
export const declaredKind = (contentType: string): ContentKind | "untold" | undefined => {
  const type = mediaType(contentType)
  return kinds.get(type) ?? (/^(?:application|text)\/[^/]+\+(?:json|xml)$/.test(type) ? "code" : undefined)
}

const kinds: ReadonlyMap<string, ContentKind | "untold"> = new Map([
  ["", "untold"],
  ["application/octet-stream", "untold"],
  ["binary/octet-stream", "untold"],
  ["text/html", "html"],
  ["application/xhtml+xml", "html"],
  ["text/plain", "text"],
  ["text/markdown", "text"],
  ["text/x-markdown", "text"],
  ["text/csv", "text"],
  ["application/json", "code"],
  ["application/xml", "code"],
  ["text/xml", "code"]
])

/**
 * The `Content-Type` by which a body is read: the one it was sent with, or that of its first bytes where that says nothing.
 * None if they are of something that is no text, whatever was said of them.
 */
export const actualType = (body: Uint8Array, contentType: string): string | undefined => {
  if (isBinary(body, contentType)) return undefined
  if (declaredKind(contentType) !== "untold") return contentType
  const isHtml = mediaType(contentType) === "" || htmlStart.test(sampleOf(body).toString("latin1"))
  return isHtml ? "text/html" : "text/plain"
}

/** As much of a body as is looked at. */
const sampleBytes = 512
const sampleOf = (body: Uint8Array): Buffer =>
  Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, sampleBytes))

const htmlStart =
  /^(?:ï»¿)?\s*(?:<!--[\s\S]*?-->\s*)*<(?:!doctype html|html|head|body|title|h1|div|p|table|script)[\s>]/i

/** The first bytes of PDF, PNG, JPEG, GIF, ZIP (and office documents), gzip, 7z, RAR, Ogg, MP3, ELF and fonts. */
const magic = [
  "255044462d",
  "89504e47",
  "ffd8ff",
  "474946383",
  "504b0304",
  "504b0506",
  "1f8b",
  "377abcaf",
  "52617221",
  "4f676753",
  "494433",
  "7f454c46",
  "774f4646",
  "774f4632"
]

const isBinary = (body: Uint8Array, contentType: string): boolean => {
  const sample = sampleOf(body)
  const hex = sample.toString("hex", 0, 8)
  if (magic.some((start) => hex.startsWith(start))) return true
  const isWide = /^(?:fffe|feff)/.test(hex) || /^utf-?(?:16|32)/i.test(charsetOf(contentType) ?? "")
  return sample.includes(0) && !isWide
}
