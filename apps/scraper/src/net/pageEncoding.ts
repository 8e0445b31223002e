import { getBOMEncoding, labelToName } from "@exodus/bytes/encoding.js"
import { detect as detectLatin } from "chardet"
import { Option } from "effect"
import { Parser } from "htmlparser2"
import { detect } from "jschardet"
import { charsetOf, mediaType } from "./ContentType.ts"

/** Most octets in which a declaration is looked for; it has to be in the head of the page, or among the first 1,024. */
const maxHead = 256 * 1024
const sureHead = 1024
/** Octets of text from which an encoding is guessed. */
const maxSample = 64 * 1024

/**
 * The name of the encoding of a body, by the WHATWG's standards and as Chromium looks for it: its byte-order mark, else the
 * `Content-Type`, else what the page declares. Of text that declares nothing it is UTF-8 if it is valid, else guessed. A label nobody
 * knows is passed over.
 */
export const pageEncoding = (body: Uint8Array, contentType: string): string =>
  getBOMEncoding(body) ??
  nameOf(charsetOf(contentType)) ??
  declared(body, contentType) ??
  (isUtf8(body) ? undeclaredUtf8(body, contentType) : guess(body))

const nameOf = (label: string | undefined): string | undefined =>
  (label === undefined ? null : labelToName(label))?.toLowerCase()

const latin1 = (body: Uint8Array, length: number): string =>
  Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, length)).toString("latin1")

const declared = (body: Uint8Array, contentType: string): string | undefined => {
  const type = mediaType(contentType)
  const start = latin1(body, sureHead)
  // What is spelt in octets is not in UTF-16, whatever it says.
  if (/^<\0\?\0x\0/.test(start)) return "utf-16le"
  if (/^\0<\0\?\0x/.test(start)) return "utf-16be"
  const isMarkup = /^(?:text\/html|application\/xhtml\+xml|)$/.test(type)
  const label = (isMarkup ? metaLabel(body) : undefined) ?? nameOf(xmlEncoding.exec(start)?.[1])
  if (label?.startsWith("utf-16")) return "utf-8"
  return label === "x-user-defined" ? "windows-1252" : label
}

const xmlEncoding = /^\s{0,99}<\?xml\s[^>]{0,999}?encoding\s{0,99}=\s{0,99}["']([^"']+)/i

/** The elements of a head: where others begin it has ended. */
const ofHeads = new Set(["script", "noscript", "style", "link", "meta", "object", "title", "base"])
const ofStarts = new Set(["html", "head"])

const metaLabel = (body: Uint8Array): string | undefined => {
  let label: string | undefined
  let inHead = true
  const hasEnded = () => label !== undefined || (!inHead && parser.startIndex >= sureHead)
  const parser: Parser = new Parser({
    onopentag: (name, attributes) => {
      if (hasEnded()) return
      if (name === "meta") label = nameOf(labelOf(attributes))
      if (!ofHeads.has(name) && !ofStarts.has(name)) inHead = false
    },
    onclosetag: (name, isImplied) => {
      if (!isImplied && !ofHeads.has(name)) inHead = false
    }
  })
  const text = latin1(body, maxHead)
  for (let at = 0; at < text.length && !hasEnded(); at += sureHead) parser.write(text.slice(at, at + sureHead))
  return label
}

const labelOf = (attributes: Readonly<Record<string, string>>): string | undefined => {
  if (attributes.charset !== undefined) return attributes.charset
  return attributes["http-equiv"]?.trim().toLowerCase() === "content-type"
    ? charsetIn(attributes.content ?? "")
    : undefined
}

/** The charset in the `content` of a `meta`, as the HTML standard extracts it. */
const charsetIn = (content: string): string | undefined => {
  const value = /charset[\t\n\f\r ]*=[\t\n\f\r ]*(.*)$/is.exec(content)?.[1] ?? ""
  const quote = value[0]
  if (quote !== '"' && quote !== "'") return /^[^\t\n\f\r ;]+/.exec(value)?.[0]
  const end = value.indexOf(quote, 1)
  return end === -1 ? undefined : value.slice(1, end)
}

const isUtf8 = (body: Uint8Array): boolean =>
  Option.isSome(Option.liftThrowable(() => new TextDecoder("utf-8", { fatal: true }).decode(body))())

/** Where a page has ASCII alone nothing says that it is more, and browsers write its links in their own default. */
const undeclaredUtf8 = (body: Uint8Array, contentType: string): string => {
  const isPage = /^(?:text\/html|)$/.test(mediaType(contentType))
  return isPage && body.every((octet) => octet < 0x80) ? "windows-1252" : "utf-8"
}

/** What detectors call by names that the WHATWG does not know, or by a name of which browsers make another. */
const guesses: ReadonlyMap<string, string> = new Map([
  ["cp932", "shift_jis"],
  ["cp949", "euc-kr"],
  ["cp874", "windows-874"],
  ["iso-8859-8", "windows-1255"],
  ["gb18030", "gbk"],
  ["gb2312", "gbk"]
])
/** Escapes of ISO 2022 and the like browsers do not guess. */
const neverGuessed = /^(?:utf|iso-2022|replacement|x-)/
/** The encodings of languages that write Latin letters. */
const latinEncodings = new Set([
  "windows-1252",
  "windows-1250",
  "windows-1254",
  "windows-1257",
  "iso-8859-2",
  "iso-8859-9"
])
/** Text with a smaller share of octets beyond ASCII is in Latin letters. */
const latinShare = 0.4

/**
 * Of Latin text one detector knows the encodings by their languages; of all other text the other one knows more, by pairs of
 * letters, even where the text is short.
 */
const guess = (body: Uint8Array): string => {
  const text = textIn(body)
  let letters = 0
  let beyond = 0
  for (const octet of text) {
    if (octet >= 0x80) beyond++
    else if ((octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7a) letters++
  }
  const isLatin = beyond < (letters + beyond) * latinShare
  const label = (isLatin ? detectLatin(text) : detect(Buffer.from(text)).encoding)?.toLowerCase() ?? ""
  const name = guesses.get(label) ?? nameOf(label) ?? "windows-1252"
  return neverGuessed.test(name) || (isLatin && !latinEncodings.has(name)) ? "windows-1252" : name
}

/** The octets between tags: what tags are made of is the same in most encodings. */
const textIn = (body: Uint8Array): Uint8Array => {
  const sample = new Uint8Array(maxSample)
  let length = 0
  let inTag = false
  for (const octet of body) {
    if (length === maxSample) break
    if (octet === 0x3c) inTag = true
    if (!inTag) sample[length++] = octet
    if (octet === 0x3e) inTag = false
  }
  return sample.subarray(0, length)
}
