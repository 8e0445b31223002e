import { MIMEType } from "whatwg-mimetype"

/** What can be made of content: HTML is converted, text is its own Markdown, code (JSON, XML, feeds) a fenced block, PDF read. */
export type ContentKind = "html" | "text" | "code" | "pdf"

/**
 * The MIME type of a `Content-Type`, as Fetch extracts it: of several in a row the last counts that is one, and it inherits
 * the charset of an equal one before.
 */
const extracted = (contentType: string): MIMEType | undefined => {
  let type: MIMEType | undefined
  for (const value of contentType.match(/(?:[^,"]|"(?:[^"\\]|\\.)*(?:"|$))+/gs) ?? []) {
    const next = MIMEType.parse(value)
    if (next === null || next.essence === "*/*") continue
    const charset = type?.essence === next.essence ? type.parameters.get("charset") : undefined
    if (charset !== undefined && !next.parameters.has("charset")) next.parameters.set("charset", charset)
    type = next
  }
  return type
}

/**
 * The media type of a `Content-Type` header, in lower case and without its parameters. A header that is no media type, such as
 * `html`, is returned as it is.
 */
export const mediaType = (contentType: string): string =>
  extracted(contentType)?.essence ?? (contentType.split(";")[0] ?? "").trim().toLowerCase()

/** The `charset` of a `Content-Type` header. Headers that are not well-formed are searched for one. */
export const charsetOf = (contentType: string): string | undefined =>
  extracted(contentType)?.parameters.get("charset") ?? anyCharset.exec(contentType)?.[1]

const anyCharset = /charset\s{0,99}=\s{0,99}["']?([^\s"';,]+)/i

/** What a `Content-Type` says of content: its kind, that only the content can tell, or that nothing can be made of it. */
export const declaredKind = (contentType: string): ContentKind | "untold" | undefined => {
  const type = mediaType(contentType)
  // What is no media type at all, or stands for any, says nothing.
  if (MIMEType.parse(type) === null || type === "*/*") return "untold"
  const kind = kinds.get(type)
  if (kind !== undefined) return kind
  if (/^(?:application|text)\/[^/]+\+(?:json|xml)$/.test(type)) return "code"
  const [group, name = ""] = type.split("/")
  return group === "text" || (group === "application" && textual.has(name.replace(/^x-/, ""))) ? "text" : undefined
}

const kinds: ReadonlyMap<string, ContentKind | "untold"> = new Map([
  ["application/octet-stream", "untold"],
  ["binary/octet-stream", "untold"],
  ["application/unknown", "untold"],
  ["unknown/unknown", "untold"],
  ["text/html", "html"],
  ["application/xhtml+xml", "html"],
  ["application/json", "code"],
  ["text/json", "code"],
  ["application/xml", "code"],
  ["text/xml", "code"],
  ["application/pdf", "pdf"],
  ["application/x-pdf", "pdf"]
])

/** Types of text, most of it source code, that are not below `text/`. */
const textual = new Set(
  (
    "ndjson nd-json jsonlines json-lines jsonl json5 jsonc yaml vnd.yaml toml markdown javascript ecmascript typescript sh " +
    "shellscript csh perl python ruby php httpd-php tex latex sql subrip troff troff-man diff patch csv awk lua graphql " +
    "n-triples n-quads trig sparql-query xml-dtd www-form-urlencoded"
  ).split(" ")
)

/**
 * The `Content-Type` by which a body is read: the one it was sent with, or that of its first bytes where that says nothing, by the
 * MIME sniffing standard. None if they are of something that is no text, whatever was said of them.
 */
export const actualType = (body: Uint8Array, contentType: string): string | undefined => {
  const sample = sampleOf(body)
  const kind = declaredKind(contentType)
  const text = sample.toString("latin1")
  if (kind === "pdf") return text.includes("%PDF-") ? "application/pdf" : undefined
  if (text.startsWith("%PDF-")) return kind === "untold" ? "application/pdf" : undefined
  if (isBinary(sample, contentType, kind)) return undefined
  if (kind !== "untold") return contentType
  const charset = charsetOf(contentType)
  const sniffed = htmlStart.test(text) ? "text/html" : /^[\t\n\f\r ]*<\?xml/.test(text) ? "text/xml" : "text/plain"
  return charset === undefined ? sniffed : `${sniffed}; charset=${charset}`
}

/** As much of a body as the standard looks at. */
const sampleBytes = 1445
const sampleOf = (body: Uint8Array): Buffer =>
  Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, sampleBytes))

/** The beginnings of HTML by the standard; a byte-order mark may stand before. */
const htmlStart =
  /^(?:ï»¿)?[\t\n\f\r ]*(?:<!--|<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[\t\n\f\r />])/i

/** The first bytes of PNG, JPEG, ZIP (and office documents), gzip, 7z, ELF and fonts. */
const magic = ["89504e47", "ffd8ff", "504b0304", "504b0506", "1f8b", "377abcaf", "7f454c46", "774f4646", "774f4632"]
/** Those of GIF, RAR, Ogg and MP3 are letters, and may begin a text. */
const lettered = ["474946383", "52617221", "4f676753", "494433"]

/** Octets that are in no text, by the standard. */
const isBinaryOctet = (octet: number): boolean =>
  octet <= 0x08 || octet === 0x0b || (octet >= 0x0e && octet <= 0x1a) || (octet >= 0x1c && octet <= 0x1f)

const isBinary = (sample: Buffer, contentType: string, kind: ContentKind | "untold" | undefined): boolean => {
  const hex = sample.toString("hex", 0, 8)
  if (magic.some((start) => hex.startsWith(start))) return true
  const isWide = /^(?:fffe|feff)/.test(hex) || /^(?:utf-?(?:16|32)|iso-2022)/i.test(charsetOf(contentType) ?? "")
  const hasOctets = sample.some(isBinaryOctet)
  if (lettered.some((start) => hex.startsWith(start))) return hasOctets
  // Of a page that says it is one, browsers show what there is.
  return kind !== "html" && !isWide && hasOctets
}
