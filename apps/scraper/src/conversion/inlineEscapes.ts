import { decodeNamedCharacterReference } from "decode-named-character-reference"
import { bracketEscapes } from "./bracketEscapes.ts"
import { firstSign, lastSign, mayBegin, mayEnd } from "./characterClass.ts"
import type { InlineLine } from "./InlineToken.ts"

/** Adds the places in a line whose sign needs a backslash, wherever in its block the line is. */
export const escapesOf = (line: InlineLine, isCell: boolean, escapes: Set<number>): void => {
  backtickEscapes(line, escapes)
  delimiterEscapes(line, escapes)
  bracketEscapes(line, escapes)
  const { source } = line
  let start = 0
  for (const { kind, value } of line.tokens) {
    if (kind === "text") {
      for (const { 0: sign, index } of value.matchAll(/[\\<&|]/g)) {
        const at = start + index
        const isRead =
          sign === "\\"
            ? isEscape(source, at)
            : sign === "<"
              ? isMarkup(source, at)
              : sign === "&"
                ? isReference(source, at)
                : isCell
        if (isRead) escapes.add(at)
      }
    }
    start += value.length
  }
}

/** Whether a backslash is before punctuation. */
const isEscape = (source: string, at: number): boolean => /[!-/:-@[-`{-~]/.test(source[at + 1] ?? "")

const attribute = String.raw`\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:[^\s"'=<>${"`"}]+|'[^']*'|"[^"]*"))?`
const markup = new RegExp(
  [
    String.raw`[A-Za-z][A-Za-z\d.+-]{1,31}:[^ \t\n<>]*>`,
    String.raw`[\w.!#$%&'*+/=?^${"`"}{|}~-]+@[A-Za-z\d.-]+>`,
    String.raw`[A-Za-z][A-Za-z\d-]*(?:${attribute})*\s*/?>`,
    String.raw`/[A-Za-z][A-Za-z\d-]*\s*>`
  ].join("|"),
  "y"
)

/** Whether a parser reads an element, a comment or an address there. */
const isMarkup = (source: string, at: number): boolean => {
  const next = source[at + 1]
  // markdown-it reads no comment after one that does not end.
  if (next === "?") return source.includes("?>", at) || source.includes("<!---->")
  if (next === "!") return /[A-Za-z[-]/.test(source[at + 2] ?? "") && source.includes(">", at)
  markup.lastIndex = at + 1
  return markup.test(source)
}

const reference = /&(?:#[xX][\da-fA-F]{1,6}|#\d{1,7}|([A-Za-z][A-Za-z\d]{1,31}));/y

const isReference = (source: string, at: number): boolean => {
  reference.lastIndex = at
  const found = reference.exec(source)
  if (found === null) return false
  return found[1] === undefined || decodeNamedCharacterReference(found[1]) !== false
}

/**
 * A run of backticks begins code if there is another as long after it, which may be one that is written for code, or in an address. A
 * parser that looks for the end of code reads no backslashes, so a run that is escaped counts as backticks one by one.
 */
const backtickEscapes = ({ source, tokens }: InlineLine, escapes: Set<number>): void => {
  if (!source.includes("`")) return
  const isText = textMask({ source, tokens })
  const after = new Set<number>()
  for (let end = source.lastIndexOf("`"); end >= 0; ) {
    const text = isText[end]
    let start = end
    while (start > 0 && source[start - 1] === "`" && isText[start - 1] === text) start--
    const length = end - start + 1
    const touches = text === 1 && source[end + 1] === "`"
    if (text === 1 && (touches || escapes.has(start) || source[start - 1] === "`" || after.has(length))) {
      for (let at = start; at <= end; at++) escapes.add(at)
      after.add(1)
      // The last of it, and the run that it touches, look like one.
      if (touches) after.add(runAfter(source, end + 1) + 1)
    } else after.add(length)
    end = start === 0 ? -1 : source.lastIndexOf("`", start - 1)
  }
}

const runAfter = (source: string, from: number): number => {
  let end = from
  while (source[end] === "`") end++
  return end - from
}

/** 1 where a sign is of the text of the page. */
const textMask = ({ source, tokens }: Pick<InlineLine, "source" | "tokens">): Uint8Array => {
  const mask = new Uint8Array(source.length)
  let start = 0
  for (const { kind, value } of tokens) {
    if (kind === "text") mask.fill(1, start, start + value.length)
    start += value.length
  }
  return mask
}

interface Delimiters {
  readonly sign: string
  /** Runs of one kind end each other: one tilde does not end what two began. */
  readonly kind: string
  readonly start: number
  readonly end: number
  readonly isOurs: boolean
  readonly begins: boolean
  readonly ends: boolean
}

/**
 * Delimiters in the text need a backslash if they would begin emphasis that something ends, or end what we began. Those that are left then
 * have nothing to end, so they are read as they are.
 */
const delimiterEscapes = (line: InlineLine, escapes: Set<number>): void => {
  const runs = delimitersOf(line).filter(({ start }) => !escapes.has(start))
  if (runs.every(({ isOurs }) => isOurs)) return
  const open = new Map<string, number>()
  const lastEnd = new Map<string, number>()
  for (const { ends, kind, start } of runs) {
    if (ends) lastEnd.set(kind, start)
  }
  for (const run of runs) {
    const inside = open.get(run.kind) ?? 0
    if (run.isOurs) {
      if (run.begins) open.set(run.kind, inside + 1)
      if (run.ends) open.set(run.kind, inside - 1)
      continue
    }
    const touches = [line.source[run.start - 1], line.source[run.end]].includes(run.sign)
    const isRead = (run.begins && (lastEnd.get(run.kind) ?? -1) > run.start) || (run.ends && inside > 0)
    if (touches || isRead) for (let at = run.start; at < run.end; at++) escapes.add(at)
  }
}

const kindOf = (run: string): string => (run[0] === "~" && run.length > 1 ? "~~" : run[0]!)

const delimitersOf = ({ source, tokens }: InlineLine): ReadonlyArray<Delimiters> => {
  const runs: Array<Delimiters> = []
  let start = 0
  for (const { kind, value } of tokens) {
    if (kind === "open" || kind === "close") {
      const [begins, ends] = [kind === "open", kind === "close"]
      runs.push({ sign: value[0]!, kind: kindOf(value), start, end: start + value.length, isOurs: true, begins, ends })
    } else if (kind === "text") {
      for (const { 0: run, index } of value.matchAll(/\*+|_+|~+/g)) {
        const [from, end, sign] = [start + index, start + index + run.length, run[0]!]
        const before = lastSign(source.slice(Math.max(0, from - 2), from))
        const after = firstSign(source.slice(end, end + 2))
        const [begins, ends] = [mayBegin(sign, before, after), mayEnd(sign, before, after)]
        runs.push({ sign, kind: kindOf(run), start: from, end, isOurs: false, begins, ends })
      }
    }
    start += value.length
  }
  return runs
}
