import { percentEncodeAfterEncoding } from "@exodus/bytes/whatwg.js"
import { Option } from "effect"

/** A URL longer than this is refused: no server is known to need it, and endless ones are traps. */
const maxUrlLength = 8192

/**
 * The one spelling of an absolute http(s) URL under which a crawl knows a page, or none if it is not one.
 *
 * Lower-cases scheme and host, drops the default port, the fragment and an empty query, resolves dot segments, gives an
 * empty path as `/`, decodes percent-encoded unreserved characters, upper-cases the other escapes and escapes a stray
 * `%`. The order of query parameters and a trailing slash are kept: they can matter. URLs with credentials are refused.
 * Applying it twice changes nothing. The query of a link is written in the encoding of its page, as browsers do.
 */
export const normalizeUrl = (input: string, base?: string, encoding = "utf-8"): Option.Option<string> => {
  if (input.length > maxUrlLength) return Option.none()
  const written = encoding === "utf-8" ? input : withQueryIn(encoding, input)
  const url = base === undefined ? URL.parse(written) : URL.parse(written, base)
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return Option.none()
  if (url.username !== "" || url.password !== "" || url.hostname === "") return Option.none()
  const normal = `${url.protocol}//${url.host}${normalEscapes(url.pathname)}${normalEscapes(url.search)}`
  return normal.length > maxUrlLength ? Option.none() : Option.some(normal)
}

const unreserved = /^[A-Za-z0-9\-._~]$/

const normalEscapes = (text: string): string =>
  text.includes("%")
    ? text.replace(/%([0-9A-Fa-f]{2})?/g, (_, hex: string | undefined) => {
        if (hex === undefined) return "%25"
        const character = String.fromCharCode(Number.parseInt(hex, 16))
        return unreserved.test(character) ? character : `%${hex.toUpperCase()}`
      })
    : text

const withQueryIn = (encoding: string, input: string): string => {
  const start = input.indexOf("?")
  // Of UTF-16 the standard writes UTF-8, and other schemes are no links.
  if (start === -1 || !/[^\0-\x7f]/.test(input) || /^(?:utf-16|replacement)/.test(encoding)) return input
  const hash = input.indexOf("#")
  if (hash !== -1 && hash < start) return input
  const end = hash === -1 ? input.length : hash
  const query = percentEncodeAfterEncoding(encoding, input.slice(start + 1, end).replace(/[\t\n\r]/g, ""), " \"#'<>")
  return `${input.slice(0, start + 1)}${query}${input.slice(end)}`
}
