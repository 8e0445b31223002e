/** Headers that belong to a connection or to the fetcher, so a caller cannot set them. */
const refused = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "content-type",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const isLine = (value: string) =>
  [...value].every((character) => {
    const code = character.charCodeAt(0)
    return character === "\t" || (code >= 0x20 && code <= 0xff && code !== 0x7f)
  })

/** The caller's headers that are sent to the target: lower-cased, without those it may not set or that are no headers. */
export const targetHeaders = (headers: Readonly<Record<string, string>> | null): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers ?? {})
      .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
      .filter(([name, value]) => token.test(name) && isLine(value) && !refused.has(name))
  )
