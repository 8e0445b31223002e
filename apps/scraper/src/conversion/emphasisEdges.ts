import { canFlank, firstSign, lastSign, mayEnd } from "./characterClass.ts"
import type { Attention, InlineToken } from "./InlineToken.ts"

const elements: Readonly<Record<Attention, string>> = { strong: "strong", emphasis: "em", delete: "del" }

/** What no delimiter may be beside where a word is on its other side, with the marks and joiners that belong to it. */
const leading = /^(?:[\p{P}\p{S}\s][\p{M}\u200d]*)+/u
const edgeSign = /[\p{P}\p{S}\s]/u
const joined = /[\p{M}\u200d]/u

/** The same at the end; a loop, as an expression would begin at every sign. */
const trailingEdge = (text: string): string => {
  let edge = text.length
  for (let at = text.length; at > 0; ) {
    const sign = lastSign(text.slice(Math.max(0, at - 2), at))
    at -= sign.length
    if (edgeSign.test(sign)) edge = at
    else if (!joined.test(sign)) break
  }
  return text.slice(edge)
}

const leadingEdge = (text: string): string => leading.exec(text)?.[0] ?? ""

/**
 * Makes all delimiters such that a parser reads them: where one is between a word and punctuation, as in `**注意：**これは`, the
 * punctuation is moved out of it; a link within it is moved around it; and what still cannot be read becomes an element. So do all that
 * cannot be read of a line that had more than `mostMoves` of them, because each move begins at the start of the line.
 */
export const soundEdges = (tokens: Array<InlineToken>): Array<InlineToken> => {
  let current = tokens
  /** How many asterisks are in the runs that began what is open. */
  let open: Array<number> = []
  let moves = 0
  let isAgain = false
  for (let index = 0; index < current.length || isAgain; ) {
    if (index >= current.length) {
      index = 0
      open = []
      isAgain = false
    }
    const token = current[index]!
    if (!isDelimiter(token)) {
      index++
      continue
    }
    const end = endOfRun(current, index)
    if (isSound(current, index, end, open)) {
      const size = lengthOf(current, index, end)
      if (token.value[0] === "*") {
        if (token.kind === "open") open.push(...current.slice(index, end).map(() => size))
        else open.splice(index - end)
      }
      index = end
      continue
    }
    if (moves++ < mostMoves) {
      current = withReadableEdges(current, index, end)
      index = 0
      open = []
    } else {
      makeElement(current.slice(index, end).find(({ kind }) => kind !== "close") ?? current[end - 1]!)
      isAgain = true
    }
  }
  return current
}

const lengthOf = (tokens: ReadonlyArray<InlineToken>, from: number, end: number): number => {
  let length = 0
  for (let index = from; index < end; index++) length += tokens[index]!.value.length
  return length
}

const mostMoves = 200

/** Delimiters of one sign side by side are one run to a parser. */
const endOfRun = (tokens: ReadonlyArray<InlineToken>, from: number): number => {
  const sign = tokens[from]!.value[0]
  let end = from + 1
  while (end < tokens.length && isDelimiter(tokens[end]!) && tokens[end]!.value[0] === sign) end++
  return end
}

const isDelimiter = ({ kind }: InlineToken) => kind === "open" || kind === "close"

const isSound = (
  tokens: ReadonlyArray<InlineToken>,
  from: number,
  end: number,
  open: ReadonlyArray<number>
): boolean => {
  const { kind } = tokens[from]!
  for (let index = from + 1; index < end; index++) if (tokens[index]!.kind !== kind) return false
  const textBefore = tokens[from - 1]?.value ?? ""
  // GitHub takes all up to the next blank for the address.
  if (address.test(textBefore.slice(-longestAddress))) return false
  const before = lastSign(textBefore)
  const after = firstSign(tokens[end]?.value ?? "")
  if (kind === "close") return canFlank(before, after)
  // Where three signs began two things, of which one has ended, a beginning that may be an end is read as that of the other.
  return canFlank(after, before) && !(tokens[from]!.value[0] === "*" && open.at(-1) === 3 && mayEnd("*", before, after))
}

/** What is longer before a delimiter is taken for no address. */
const longestAddress = 2000
const address = /(?:https?:\/\/|www\.)\S*$/i

const withReadableEdges = (tokens: Array<InlineToken>, from: number, end: number): Array<InlineToken> => {
  const { kind } = tokens[from]!
  const isMixed = tokens.slice(from, end).some((each) => each.kind !== kind)
  if (isMixed) return asElement(tokens, tokens.slice(from, end).find((each) => each.kind === "open")!)
  const isOpening = kind === "open"
  const inner = tokens[isOpening ? end : from - 1]
  const outermost = tokens[isOpening ? from : end - 1]!
  if (inner === undefined || inner === outermost.pair) return asElement(tokens, outermost)
  if (inner.kind === "text") {
    const edge = isOpening ? leadingEdge(inner.value) : trailingEdge(inner.value)
    if (edge !== "" && edge.length < inner.value.length) {
      inner.value = isOpening ? inner.value.slice(edge.length) : inner.value.slice(0, -edge.length)
      return tokens.toSpliced(isOpening ? from : end, 0, { kind: "text", value: edge })
    }
  }
  return end - from === 1 && isLinkAlone(tokens, outermost)
    ? aroundLink(tokens, outermost)
    : asElement(tokens, outermost)
}

const ends = (tokens: ReadonlyArray<InlineToken>, one: InlineToken) => {
  const [open, close] = one.kind === "open" ? [one, one.pair!] : [one.pair!, one]
  return { open: tokens.indexOf(open), close: tokens.indexOf(close) }
}

/** Whether a link is all that there is between two delimiters. */
const isLinkAlone = (tokens: ReadonlyArray<InlineToken>, delimiter: InlineToken): boolean => {
  const { close, open } = ends(tokens, delimiter)
  if (tokens[open + 1]?.kind !== "linkOpen" || tokens[close - 1]?.kind !== "linkClose") return false
  // No link is within a link, so the next end that is not of an image is that of this one.
  let images = 0
  for (let index = open + 2; index < close - 1; index++) {
    const { kind } = tokens[index]!
    if (kind === "imageOpen") images++
    else if (kind === "linkClose" && images-- === 0) return false
  }
  return close > open + 3
}

const aroundLink = (tokens: Array<InlineToken>, delimiter: InlineToken): Array<InlineToken> => {
  const { close, open } = ends(tokens, delimiter)
  const moved = [...tokens]
  moved.splice(open, 2, tokens[open + 1]!, tokens[open]!)
  moved.splice(close - 1, 2, tokens[close]!, tokens[close - 1]!)
  return moved
}

const asElement = (tokens: Array<InlineToken>, delimiter: InlineToken): Array<InlineToken> => {
  makeElement(delimiter)
  return tokens
}

const makeElement = (delimiter: InlineToken) => {
  for (const each of [delimiter, delimiter.pair!]) {
    const name = elements[each.attention!]
    each.value = each.kind === "open" ? `<${name}>` : `</${name}>`
  }
  for (const each of [delimiter, delimiter.pair!]) each.kind = "raw"
}
