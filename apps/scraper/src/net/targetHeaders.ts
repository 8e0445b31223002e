import { hopByHopHeaders } from "./hopByHopHeaders.ts"

/** Headers that a caller cannot set: those of one connection, and those that the fetcher sets itself. */
const reserved = new Set([
  ...hopByHopHeaders,
  "accept-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "http2-settings"
])

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const isLine = (value: string) =>
  [...value].every((character) => {
    const code = character.charCodeAt(0)
    return character === "\t" || (code >= 0x20 && code <= 0xff && code !== 0x7f)
  })

/** The caller's headers for the target, in lower case. Reserved headers and invalid ones are removed. */
export const targetHeaders = (headers: Readonly<Record<string, string>> | null): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers ?? {})
      .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
      .filter(([name, value]) => token.test(name) && isLine(value) && !reserved.has(name))
  )
