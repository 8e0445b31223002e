import { Effect, Option } from "effect"
import { Parser } from "htmlparser2"
import { normalizeUrl } from "../net/normalizeUrl.ts"
import { maxRefreshSeconds } from "../rendering/MainDocument.ts"

/** Where a page says that it goes on to, as written, and after how many seconds. */
interface Refresh {
  readonly seconds: number
  readonly to: string
}

const blank = "[\\t\\n\\f\\r ]"
const form = new RegExp(`^${blank}*(?:(\\d+)[\\d.]*|\\.[\\d.]*)(?=$|[;,\\t\\n\\f\\r ])${blank}*[;,]?${blank}*([^]*)$`)
const named = new RegExp(`^url${blank}*=${blank}*`, "i")

/** Reads the value of a `Refresh` header or a `<meta http-equiv=refresh>`, as the HTML standard has it. */
export const parseRefresh = (value: string): Refresh | undefined => {
  const parts = form.exec(value)
  if (parts === null) return undefined
  const rest = parts[2] ?? ""
  const to = rest.replace(named, "")
  const quote = to[0]
  const end = quote === "'" || quote === '"' ? to.indexOf(quote, 1) : -1
  const isQuoted = quote === "'" || quote === '"'
  return {
    seconds: Number(parts[1] ?? 0),
    to: (isQuoted ? to.slice(1, end === -1 ? undefined : end) : to).trim()
  }
}

/** In ASCII and in UTF-16; a page without both has no refresh of its own. */
const signs = [/h\0?t\0?t\0?p\0?-\0?e\0?q\0?u\0?i\0?v/i, /r\0?e\0?f\0?r\0?e\0?s\0?h/i]
const mayDeclare = (body: Uint8Array): boolean => {
  const octets = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1")
  return signs.every((sign) => sign.test(octets))
}
/** How much is read before others have their turn. */
const pieceLength = 128 * 1024

/**
 * Where a page goes on to by itself, soon after it was shown to a browser without scripts: by its `Refresh` header, or an element.
 * Of several the soonest counts, and of these the last. None if it stays, or goes to what is no http(s) page.
 */
export const declaredRefresh = Effect.fnUntraced(function* (page: {
  readonly url: string
  readonly header: string | undefined
  readonly body: Uint8Array
  readonly text: () => string
}): Effect.fn.Return<Option.Option<string>> {
  let soonest: { readonly seconds: number; readonly url: string } | undefined
  const take = (value: string, base: string) => {
    const refresh = parseRefresh(value)
    const url = refresh === undefined ? Option.none() : normalizeUrl(refresh.to, base)
    if (refresh === undefined || Option.isNone(url)) return
    if (soonest === undefined || refresh.seconds <= soonest.seconds) {
      soonest = { seconds: refresh.seconds, url: url.value }
    }
  }
  if (page.header !== undefined) take(page.header, page.url)
  if (mayDeclare(page.body)) {
    const parser = elementsOf(page.url, take)
    const text = page.text()
    for (let at = 0; at < text.length; at += pieceLength) {
      if (at > 0) yield* Effect.yieldNow
      parser.write(text.slice(at, at + pieceLength))
    }
    parser.end()
  }
  return soonest === undefined || soonest.seconds > maxRefreshSeconds ? Option.none() : Option.some(soonest.url)
})

const elementsOf = (url: string, take: (value: string, base: string) => void): Parser => {
  let base: string | undefined
  /** Templates and the like around: what is inside is not shown. */
  let inert = 0
  return new Parser({
    onopentag: (name, attributes) => {
      if (name === "template") inert++
      if (inert > 0) return
      if (name === "base" && attributes.href !== undefined) base ??= baseUrl(attributes.href, url)
      const isRefresh = name === "meta" && attributes["http-equiv"]?.toLowerCase() === "refresh"
      if (isRefresh && attributes.content !== undefined) take(attributes.content, base ?? url)
    },
    onclosetag: (name) => {
      if (name === "template" && inert > 0) inert--
    }
  })
}

const baseUrl = (href: string, url: string): string => {
  const base = URL.parse(href.trim(), url)
  return base !== null && /^https?:$/.test(base.protocol) ? base.href : url
}
