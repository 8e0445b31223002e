import type { InlineLine } from "./InlineToken.ts"

interface Bracket {
  readonly at: number
  readonly isOurs: boolean
  readonly isImage: boolean
}

/**
 * Adds the brackets of the text that would make a link of it, or take the place of one of ours. Goes through them as CommonMark's algorithm
 * does. Without definitions only what has an address after it is a link.
 */
export const bracketEscapes = ({ source, tokens }: InlineLine, escapes: Set<number>): void => {
  const open: Array<Bracket> = []
  const end = source.lastIndexOf(")")
  let start = 0
  let before = ""
  /** So many of the open brackets are around a link, and so begin none. */
  let around = 0
  for (const { kind, value } of tokens) {
    if (kind === "linkOpen" || kind === "imageOpen") {
      if (kind === "linkOpen" && before === "text" && source[start - 1] === "!") escapes.add(start - 1)
      open.push({ at: start, isOurs: true, isImage: kind === "imageOpen" })
    } else if (kind === "linkClose") {
      for (let top = open.pop(); top !== undefined; top = open.pop()) {
        if (top.isOurs) {
          if (!top.isImage) around = open.length
          break
        }
        escapes.add(top.at)
      }
    } else if (kind === "text") {
      for (const { 0: sign, index } of value.matchAll(/[[\]]/g)) {
        const at = start + index
        if (escapes.has(at)) continue
        if (sign === "[") open.push({ at, isOurs: false, isImage: source[at - 1] === "!" })
        else around = closeText(source, at, end, open, around, escapes)
      }
    }
    if (value !== "") before = kind
    start += value.length
  }
}

const closeText = (
  source: string,
  at: number,
  end: number,
  open: Array<Bracket>,
  around: number,
  escapes: Set<number>
): number => {
  let isTail: boolean | undefined
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (top.isOurs) {
      escapes.add(at)
      break
    }
    open.pop()
    isTail ??= isAddress(source, at + 1, end)
    if (!isTail || (open.length < around && !top.isImage)) break
    escapes.add(top.at)
  }
  return Math.min(around, open.length)
}

const address =
  /\([ \t\n]*(?:<(?:[^<>\n\\]|\\.)*>|(?:\\\n|[^ \t\n])*?)(?:[ \t\n]+(?:"[^"]*"|'[^']*'|\([^()]*\)))?[ \t\n]*\)/y

/** An address is looked for in so much of what follows; past it any parenthesis counts as its end. */
const longestAddress = 2000

const isAddress = (source: string, at: number, end: number): boolean => {
  if (source[at] !== "(" || end < at) return false
  address.lastIndex = 0
  return address.test(source.slice(at, at + longestAddress)) || end >= at + longestAddress
}
