/** Hides secrets in a text that somebody else wrote: a driver, a server, a stack trace. */
export type Redact = (text: string) => string

/** What is written in the place of a secret. */
const placeholder = "<redacted>"

/** A shorter secret is hidden only where a password is expected: it would blot out ordinary words and numbers. */
const shortestAnywhere = 4

/** How many backslashes one can have become: a bound, so that no answer can keep the search busy. */
const deepest = 8
/** What goes before an escape of JSON, which doubles its backslashes each time it is nested. */
const escapes = `\\\\{1,${deepest}}`

/** Hides nothing. */
export const keepText: Redact = (text) => text

/**
 * Hides secrets in texts of others, also where they are escaped for JSON, URLs or XML, or are part of something in base64. Use it
 * where such a text enters. Never use it on output of our own: a secret can be an ordinary word.
 */
export const makeRedactor = (secrets: Iterable<string>): Redact => {
  const known = [...new Set(secrets)].filter((secret) => secret !== "").sort((a, b) => b.length - a.length)
  if (known.length === 0) return keepText
  const patterns = known.map((secret) => {
    const escaped = anyEscape(secret)
    return secret.length >= shortestAnywhere ? new RegExp(escaped, "g") : new RegExp(whereExpected(escaped), "gi")
  })
  const cores = known.flatMap(base64Cores)
  return (text) => {
    const plain = patterns.reduce((hidden, pattern) => hidden.replace(pattern, placeholder), text)
    return plain.replace(base64Run, (run) => {
      const canonical = canonicalBase64(run)
      return cores.some((core) => canonical.includes(core)) ? placeholder : run
    })
  }
}

/** The secret between `:` and `@` of an address, or after a word for one. */
const whereExpected = (secret: string): string =>
  `(?<=://[^\\s:/@]*:)${secret}(?=@)|(?<=(?:password|passwd|pwd|secret|token|key)["']?\\s*[=:]\\s*["']?)${secret}(?![\\w-])`

/** A pattern for a text in which each character may be escaped in a way of its own. */
const anyEscape = (secret: string): string =>
  (secret.match(/\\+|[^\\]/gsu) ?? [])
    .map((piece) => (piece[0] === "\\" ? backslashes(piece) : character(piece)))
    .join("")

/** JSON doubles backslashes, once for each time it is nested. */
const backslashes = ({ length }: string): string =>
  `(?:\\\\{${length},${length * deepest}}|(?:%(?:25){0,3}5[cC]|${escapes}u005[cC]|&#92;){${length}})`

const character = (text: string): string => {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
  const literal = units.map((unit) => `\\u${hex(unit, 4)}`).join("")
  const json = units.map((unit) => `${escapes}u${anyCase(hex(unit, 4))}`).join("")
  const bytes = [...Buffer.from(text)].map((byte) => `%(?:25){0,3}${anyCase(hex(byte, 2))}`).join("")
  const code = text.codePointAt(0)!
  const entities = [...(named[text] ?? []), `#0{0,4}${code}`, `#[xX]0{0,4}${anyCase(code.toString(16))}`]
  const short = shortEscapes[text]
  return `(?:${[
    `\\\\{0,${deepest}}${literal}`,
    ...(short === undefined ? [] : [`${escapes}${short}`]),
    json,
    bytes,
    ...(text === " " ? ["\\+"] : []),
    ...entities.map((entity) => `&(?:amp;){0,3}${entity};`)
  ].join("|")})`
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")
const anyCase = (digits: string): string => digits.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)

const shortEscapes: Readonly<Record<string, string>> = { "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f" }
const named: Readonly<Record<string, ReadonlyArray<string>>> = {
  "&": ["amp"],
  "<": ["lt"],
  ">": ["gt"],
  '"': ["quot"],
  "'": ["apos"]
}

/** What may be base64, of either alphabet, also within a URL or JSON. */
const base64Run = /(?:[A-Za-z0-9+/_-]|%2[bBfF]|\\{1,8}\/){4,}(?:=|%3[dD]){0,2}/g

const canonicalBase64 = (run: string): string =>
  run.replace(/%2b|-/gi, "+").replace(/%2f|_/gi, "/").replaceAll("\\", "")

/** What base64 makes of a secret, wherever it begins in what is encoded: its first and last digits depend on the neighbours. */
const base64Cores = (secret: string): ReadonlyArray<string> => {
  if (secret.length < shortestAnywhere) return []
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)])
    return bytes.toString("base64").slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6))
  })
}
