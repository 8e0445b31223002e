import { Option } from "effect"

/** A URL longer than this is refused: no server is known to need it, and endless ones are traps. */
const maxUrlLength = 8192

/**
 * The one spelling of an absolute http(s) URL under which a crawl knows a page, or none if it is not one.
 *
 * Lower-cases scheme and host, drops the default port, the fragment and an empty query, resolves dot segments, gives an
 * empty path as `/`, decodes percent-encoded unreserved characters, upper-cases the other escapes and escapes a stray
 * `%`. The order of query parameters and a trailing slash are kept: they can matter. URLs with credentials are refused.
 * Applying it twice changes nothing.
 */
export const normalizeUrl = (input: string, base?: string): Option.Option<string> => {
  if (input.length > maxUrlLength) return Option.none()
  const url = base === undefined ? URL.parse(input) : URL.parse(input, base)
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
