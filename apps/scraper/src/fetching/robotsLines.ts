/** The fields of a `robots.txt` that mean something here. */
export type RobotsField = "user-agent" | "allow" | "disallow" | "sitemap" | "crawl-delay"

/** A line that means something. Each character of `value` is an octet of the file in UTF-8. */
export interface RobotsLine {
  readonly field: RobotsField
  readonly value: string
}

/**
 * The lines of a `robots.txt` (RFC 9309) that mean something, as octets: rules are compared by octets, whatever text they are
 * meant to be. Misspelt fields count where Google reads them too and a file forbids more by them.
 */
export function* robotsLines(body: Uint8Array): Generator<RobotsLine> {
  for (const [line] of octetsOf(body).matchAll(/[^\r\n]+/g)) {
    const comment = line.indexOf("#")
    const parsed = parseLine((comment === -1 ? line : line.slice(0, comment)).trim())
    if (parsed !== undefined) yield parsed
  }
}

const octetsOf = (body: Uint8Array): string => {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return wide("utf-16le", bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return wide("utf-16be", bytes)
  // A byte-order mark of which a part was lost is none of the text either.
  const mark = [0xef, 0xbb, 0xbf]
  let start = 0
  while (start < mark.length && bytes[start] === mark[start]) start++
  return bytes.toString("latin1", start)
}

const wide = (encoding: "utf-16le" | "utf-16be", bytes: Buffer): string =>
  Buffer.from(new TextDecoder(encoding).decode(bytes)).toString("latin1")

const parseLine = (line: string): RobotsLine | undefined => {
  const colon = line.indexOf(":")
  const field = colon === -1 ? undefined : fieldOf(line.slice(0, colon).trim().toLowerCase())
  if (field !== undefined) return { field, value: line.slice(colon + 1).trim() }
  // A line without its colon. An `allow` of that kind is skipped, which forbids more.
  const space = line.search(/[ \t]/)
  const word = space === -1 ? undefined : fieldOf(line.slice(0, space).toLowerCase())
  if (word === undefined || word === "allow") return undefined
  const value = line.slice(space).trim()
  return word === "sitemap" || !/\s/.test(value) ? { field: word, value } : undefined
}

const exact: ReadonlySet<string> = new Set<RobotsField>(["allow", "crawl-delay"])
/** Fields that are known by how they begin. A blank ends the name, but for that of `user agent`. */
const beginnings: ReadonlyArray<readonly [RegExp, RobotsField]> = [
  [/^user[- ]?agent\S*$/, "user-agent"],
  [/^(?:disallow|dissallow|dissalow|disalow|diasllow|disallaw)\S*$/, "disallow"],
  [/^site-?map\S*$/, "sitemap"]
]

const isExact = (name: string): name is RobotsField => exact.has(name)

const fieldOf = (name: string): RobotsField | undefined =>
  isExact(name) ? name : beginnings.find(([beginning]) => beginning.test(name))?.[1]
