import { htmlBlockNames, htmlRawNames } from "micromark-util-html-tag-name"
import type { InlineLine, Place } from "./InlineToken.ts"

/** Adds the signs that would begin another block where they are: at the beginning of a line, and at the end of a heading. */
export const lineStartEscapes = ({ source, tokens }: InlineLine, place: Place, escapes: Set<number>): void => {
  if (place === "heading") {
    const [, closing] = /(?:^|[ \t])(#+)$/.exec(source) ?? []
    if (closing !== undefined && tokens.at(-1)?.kind === "text") escapes.add(source.length - closing.length)
    return
  }
  let start = 0
  let isLineStart = true
  for (const { kind, value } of tokens) {
    if (kind === "text" && isLineStart && marks.test(value)) startEscapes(source, start, value.length, place, escapes)
    isLineStart = value === "\\\n" || (isLineStart && value === "")
    start += value.length
  }
}

const marks = /^[#>+*=~`|:\d[<_-]/

const startEscapes = (source: string, start: number, length: number, place: Place, escapes: Set<number>) => {
  const isFirst = start === 0
  const lineEnd = source.indexOf("\n", start)
  const line = source.slice(start, lineEnd === -1 ? undefined : lineEnd)
  const number = /^(\d{1,9})[.)](?:[ \t]|$)/.exec(line)
  if (number !== null) {
    // Within a paragraph only a first item begins a list.
    const begins = isFirst || (Number(number[1]) === 1 && line.length > number[0].length)
    if (begins) escapes.add(start + number[1]!.length)
  } else if (!isFirst && footnote.test(line)) {
    // Not its bracket, which may be within a link.
    escapes.add(start + 1)
  } else if (isBlockStart(line, isFirst, place)) {
    const run = /^(?:`{3,}|~{3,}|\*+|_+)/.exec(line)?.[0].length ?? 1
    for (let at = start; at < start + Math.min(run, length); at++) escapes.add(at)
  }
}

const heading = /^#{1,6}(?:[ \t]|$)/
const bullet = /^[-+*](?:[ \t]|$)/
const rule = /^([-*_])(?:[ \t]*\1){2,}[ \t]*$/
const fence = /^(?:`{3,}[^`]*$|~{3,})/
const underline = /^(?:=+|-+)[ \t]*$/
const delimiterRow = /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/
const definition = /^\[(?![ \t]*\])[^\]]{1,999}\]:[ \t]*(?:<[^<>]*>|[^ \t]+)[ \t]*(?:$|["'(])/
const footnote = /^\[\^[^\]\s]+\]:/
/** After a bullet, a rule. */
const restOfRule = /^([-*])(?:[ \t]*\1)*[ \t]*$/
const box = /^\[[ xX]\](?:\s|$)/

const isBlockStart = (line: string, isFirst: boolean, place: Place): boolean =>
  line[0] === ">" ||
  heading.test(line) ||
  bullet.test(line) ||
  rule.test(line) ||
  fence.test(line) ||
  (isFirst &&
    (footnote.test(line) ||
      definition.test(line) ||
      (place === "item" && (box.test(line) || restOfRule.test(line))))) ||
  (!isFirst && (underline.test(line) || delimiterRow.test(line))) ||
  isHtml(line, isFirst)

const raw = new Set(htmlRawNames)
const named = new Set(htmlBlockNames)

/** Whether a line begins a block of HTML, which only some do within a paragraph. */
const isHtml = (line: string, isFirst: boolean): boolean => {
  if (/^<(?:\?|!(?:[A-Za-z]|--|\[CDATA\[))/.test(line)) return true
  const tag = /^<(\/?)([A-Za-z][A-Za-z\d-]*)(?=[\s>]|\/>|$)/.exec(line)
  if (tag === null) return false
  const name = tag[2]!.toLowerCase()
  return named.has(name) || (tag[1] === "" && raw.has(name)) || (isFirst && /^<[^<>]*>\s*$/.test(line))
}
