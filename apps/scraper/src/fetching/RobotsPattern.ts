/** A path of a rule, ready to be matched. */
export interface RobotsPattern {
  /** How specific the rule is: the octets of its path. */
  readonly octets: number
  /**
   * What is between the asterisks, in order; the first part begins the path. A part that could match before or behind the
   * question mark has a form for each, in this order.
   */
  readonly parts: ReadonlyArray<ReadonlyArray<string>>
  /** Whether the path ends with the last part. */
  readonly isAnchored: boolean
}

/** Octets that are the same with and without percent-encoding, by RFC 3986. */
const unreserved = /^[A-Za-z0-9\-._~]$/
/** Reserved octets that part a query: encoded they are something else. */
const kept = new Set(["&", "=", "+", "#"])
/** Reserved octets that part a path; in a query they are as good as encoded. */
const ofPaths = new Set(["/", "?"])
const plain = /^[A-Za-z0-9\-._~/]*$/

/**
 * The one form in which octets of paths and rules are compared (RFC 9309, section 2.2.2): unreserved octets plain, all others
 * percent-encoded but for those that part the path or the query where they stand.
 */
export const robotsForm = (text: string, isQuery: boolean): string => {
  if (!isQuery && plain.test(text)) return text
  let inQuery = isQuery
  let form = ""
  for (let at = 0; at < text.length; at++) {
    const hex = text[at] === "%" ? /^[0-9A-Fa-f]{2}/.exec(text.slice(at + 1, at + 3))?.[0] : undefined
    const octet = hex === undefined ? (text[at] ?? "") : String.fromCharCode(Number.parseInt(hex, 16))
    if (hex !== undefined) at += 2
    const isPlain =
      unreserved.test(octet) || (hex === undefined && (kept.has(octet) || (!inQuery && ofPaths.has(octet))))
    if (isPlain && octet === "?") inQuery = true
    form += isPlain ? octet : `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`
  }
  return form
}

/** Reads the path of a rule, whose characters are octets. An asterisk stands for anything, a dollar at the end for the end. */
export const robotsPattern = (path: string): RobotsPattern => {
  const isAnchored = path.endsWith("$")
  const parts: Array<ReadonlyArray<string>> = []
  let inQuery = false
  for (const part of (isAnchored ? path.slice(0, -1) : path).split("*")) {
    const behind = robotsForm(part, true)
    const before = inQuery ? behind : robotsForm(part, false)
    // Asterisks in a row are one.
    if (parts.length < 2 || part !== "" || parts.at(-1)?.[0] !== "")
      parts.push(parts.length === 0 || before === behind ? [before] : [before, behind])
    inQuery ||= part.includes("?")
  }
  return { octets: octetsIn(path), parts, isAnchored }
}

/** The octets of a path once it is percent-encoded as RFC 3986 asks for. */
const octetsIn = (path: string): number =>
  path.replace(/%(?:2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/gi, "x").replace(/[^\x21-\x7e]/g, "%XX").length

/** Whether a path in {@link robotsForm} matches. Each part is looked for once, as far ahead as it can be: time is linear. */
export const matchesRobots = ({ isAnchored, parts }: RobotsPattern, path: string): boolean => {
  const start = parts[0]?.[0] ?? ""
  if (!path.startsWith(start)) return false
  let at = start.length
  if (parts.length === 1) return !isAnchored || at === path.length
  const query = path.indexOf("?")
  for (const [index, forms] of parts.entries()) {
    if (index === 0) continue
    if (isAnchored && index === parts.length - 1) {
      return forms.some((form, isBehind) => {
        const start = path.length - form.length
        return start >= at && (isBehind === 0 || (query !== -1 && start > query)) && path.endsWith(form)
      })
    }
    const ends = forms.flatMap((form, isBehind) => {
      if (isBehind === 1 && query === -1) return []
      const found = path.indexOf(form, isBehind === 1 ? Math.max(at, query) : at)
      return found === -1 ? [] : [found + form.length]
    })
    if (ends.length === 0) return false
    at = Math.min(...ends)
  }
  return true
}
