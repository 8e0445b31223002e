// What CommonMark's rules for emphasis ask of a sign. Its versions differ in symbols (`€`, `+`), and parsers in signs of two code units, so
// what is within delimiters is judged by the stricter reading, and what is outside by the other.

const space = /^[\t\n\f\r\p{Zs}]/u
const anySpace = /^\s/
const punctuation = /^[!-/:-@[-`{-~]$|^\p{P}$/u
const anyPunctuation = /^[\p{P}\p{S}]/u

/** The last sign of a text, which may be two code units. */
export const lastSign = (text: string): string => {
  const last = text.at(-1) ?? ""
  return last >= "\udc00" && last <= "\udfff" ? text.slice(-2) : last
}

/** The first sign of a text, which may be two code units. */
export const firstSign = (text: string): string => {
  const first = text[0] ?? ""
  return first >= "\ud800" && first <= "\udbff" ? text.slice(0, 2) : first
}

/** Punctuation by all readings. */
const isPunctuation = (sign: string): boolean => sign.length === 1 && punctuation.test(sign)

const isWord = (sign: string): boolean => {
  const code = sign.charCodeAt(0)
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57)
}

/** Whether a delimiter between two signs, of which one is within, is read as one: `""` is the end of the line. */
export const canFlank = (within: string, outside: string): boolean => {
  if (isWord(within)) return true
  if (within === "" || anySpace.test(within)) return false
  return !anyPunctuation.test(within) || outside === "" || space.test(outside) || isPunctuation(outside)
}

/** The same by the reading under which more is a delimiter: what must not be one has to pass this. */
const mayFlank = (within: string, outside: string): boolean => {
  if (within === "" || space.test(within)) return false
  // Beside another delimiter some let it begin or end whatever is on its other side.
  if (within === "*" || within === "~") return true
  return !isPunctuation(within) || outside === "" || anySpace.test(outside) || anyPunctuation.test(outside)
}

/** Whether a run of delimiters may end emphasis or begin it, of `_` not within words. */
export const mayBegin = (delimiter: string, before: string, after: string): boolean =>
  mayFlank(after, before) && (delimiter !== "_" || !canFlank(before, after) || anyPunctuation.test(before))

export const mayEnd = (delimiter: string, before: string, after: string): boolean =>
  mayFlank(before, after) && (delimiter !== "_" || !canFlank(after, before) || anyPunctuation.test(after))
