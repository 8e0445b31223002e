import type { PhrasingContent } from "mdast"
import { soundEdges } from "./emphasisEdges.ts"
import type { InlineLine, InlineToken, Place } from "./InlineToken.ts"
import { escapesOf } from "./inlineEscapes.ts"
import { inlineTokens } from "./inlineTokens.ts"
import { lineStartEscapes } from "./lineStartEscapes.ts"

/**
 * Phrasing content as Markdown. A sign of the text has a backslash only where a parser would read something else into it, so all is put
 * together first, and what it says there decides.
 */
export const inlineMarkdown = (children: ReadonlyArray<PhrasingContent>, place: Place): string => {
  const [only] = children
  if (children.length === 1 && only!.type === "text" && isPlain(only!.value)) return only!.value
  const isCell = place === "cell"
  const tokens = inlineTokens(children, isCell)
  const sound = tokens.some(({ kind }) => kind === "open") ? soundEdges(tokens) : tokens
  const line = lineOf(sound)
  const escapes = new Set<number>()
  if (place !== "cell") lineStartEscapes(line, place, escapes)
  if (line.isSpecial) escapesOf(line, isCell, escapes)
  return escapes.size === 0 ? line.source : escaped(line.source, escapes)
}

/** Words, and marks that never mean anything. */
const isPlain = (text: string): boolean => /^(?![\d~=+-])[^\\`*_~[\]<>&|#!]*$/.test(text)

const special = /[\\`*_~[\]<&|!]/

const lineOf = (tokens: ReadonlyArray<InlineToken>): InlineLine => {
  let source = ""
  let isSpecial = false
  for (const { kind, value } of tokens) {
    source += value
    isSpecial ||= kind === "text" && special.test(value)
  }
  return { source, tokens, isSpecial }
}

const escaped = (source: string, escapes: ReadonlySet<number>): string => {
  let written = ""
  let from = 0
  for (const at of [...escapes].sort((a, b) => a - b)) {
    written += `${source.slice(from, at)}\\`
    from = at
  }
  return written + source.slice(from)
}
