import { isInt4 } from "./recordValidation.ts"

/** What a value cannot be read as. */
export const unreadable: unique symbol = Symbol("unreadable")

/** What a value reads as: null where it is missing or a filler, `unreadable` where it says something else. */
export type Loose<A> = A | null | typeof unreadable

/** Texts that servers send for "nothing" where a number or an instant belongs. */
const fillers = new Set(["", "-", "null", "none", "nil", "nan", "n/a", "na", "undefined"])

const isFiller = (text: string): boolean => fillers.has(text.trim().toLowerCase())

/** A decimal number, with or without a fraction and an exponent. */
const decimal = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/

/** A text: a number reads as its digits. */
export const looseText = (raw: unknown): Loose<string> => {
  if (raw === undefined || raw === null) return null
  if (typeof raw === "string") return raw
  return typeof raw === "number" ? String(raw) : unreadable
}

/** A number: a text of digits reads as one. */
export const looseNumber = (raw: unknown): Loose<number> => {
  if (raw === undefined || raw === null) return null
  if (typeof raw === "number") return Number.isFinite(raw) ? raw : unreadable
  if (typeof raw !== "string") return unreadable
  if (isFiller(raw)) return null
  const digits = raw.trim()
  return decimal.test(digits) && Number.isFinite(Number(digits)) ? Number(digits) : unreadable
}

/** A 32-bit integer, which is what columns of every store take. A measured value is rounded to one, a counted value never. */
export const looseInteger = (raw: unknown, isMeasured: boolean): Loose<number> => {
  const number = looseNumber(raw)
  if (typeof number !== "number") return number
  // `Math.round` gives -0 for what is just below 0.
  const whole = isMeasured ? Math.round(number) + 0 : number + 0
  return isInt4(whole) ? whole : unreadable
}

/** Whether something is so: texts and the numbers 1 and 0 say so too. */
export const looseBoolean = (raw: unknown): Loose<boolean> => {
  if (raw === undefined || raw === null || typeof raw === "boolean") return raw ?? null
  const word = typeof raw === "number" ? String(raw) : typeof raw === "string" ? raw.trim().toLowerCase() : "?"
  if (word === "true" || word === "1") return true
  if (word === "false" || word === "0") return false
  return fillers.has(word) ? null : unreadable
}

/** Numbers above this are milliseconds since 1970, others seconds: as seconds it is the year 5138. */
const mostSeconds = 1e11

/** An instant in epoch milliseconds, from any text JavaScript reads as one, or from seconds or milliseconds since 1970. Without a zone it is UTC. */
export const looseInstant = (raw: unknown): Loose<number> => {
  const number = looseNumber(raw)
  if (number === null) return null
  if (typeof number === "number") return instantOr(Math.round(number > mostSeconds ? number : number * 1000))
  if (typeof raw !== "string") return unreadable
  const text = raw.trim()
  const hasTime = /\d:\d/.test(text)
  const hasZone = /(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$/i.test(text)
  return instantOr(Date.parse(hasTime && !hasZone ? `${text}Z` : text))
}

/** The farthest instant of a JavaScript date. */
const farthest = 8.64e15

const instantOr = (millis: number): Loose<number> => (Math.abs(millis) <= farthest ? millis : unreadable)

/** One of a set of words, whatever its case. `others` are further spellings. */
export const looseWord = <W extends string>(
  raw: unknown,
  words: ReadonlyArray<W>,
  others: ReadonlyMap<string, W> = new Map()
): Loose<W> => {
  if (raw === undefined || raw === null) return null
  if (typeof raw !== "string") return unreadable
  const text = raw.trim().toLowerCase()
  return words.find((word) => word.toLowerCase() === text) ?? others.get(text) ?? unreadable
}
