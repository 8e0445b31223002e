import type { Schema } from "effect"

/** Members of an object and elements of an array that are kept; a count replaces the others. */
const most = 40
/** Levels of nesting that are kept. */
const deepest = 6
/** A longer word is a text. */
const word = /^[\w.:+-]{1,64}$/

/** Members whose texts are words of the API: states, codes, formats, times. Texts of all others are replaced. */
const wordMembers = new Set([
  "status",
  "code",
  "error",
  "error_code",
  "type",
  "loc",
  "source",
  "processing_mode",
  "formats",
  "output",
  "created_at",
  "completed_at",
  "date",
  "timestamp",
  "version",
  "service",
  "wait_until",
  "country",
  "block_reason"
])

/** What a recording must not hold, and what stands for URLs and ids in it. */
export interface SanitizeRules {
  /** The key: a word that contains it is replaced as well. */
  readonly secrets: ReadonlyArray<string>
  /** The placeholder of a URL or an id: the same for the same text. */
  readonly alias: (kind: "url" | "job", text: string) => string
}

/**
 * JSON of an answer as it may be recorded: numbers, booleans and words of the API as they are, URLs and ids as placeholders, and of any
 * other text its length.
 */
export const sanitizeJson = (value: unknown, rules: SanitizeRules, member = "", depth = 0): Schema.Json => {
  if (value === null || typeof value === "boolean") return value
  if (typeof value === "number") return Number.isFinite(value) ? value : null
  if (typeof value === "string") return sanitizeText(value, member, rules)
  if (typeof value !== "object") return null
  if (depth >= deepest) return "<nested deeper>"
  if (Array.isArray(value)) {
    const kept = value.slice(0, most).map((element) => sanitizeJson(element, rules, member, depth + 1))
    return value.length > most ? [...kept, `<${value.length - most} more>`] : kept
  }
  const entries = Object.entries(value)
  const kept = entries
    .slice(0, most)
    .map(([name, inner]) => [nameOf(name, rules), sanitizeJson(inner, rules, name, depth + 1)])
  return Object.fromEntries(entries.length > most ? [...kept, ["<more>", entries.length - most]] : kept)
}

const nameOf = (name: string, { secrets }: SanitizeRules): string =>
  word.test(name) && !holds(name, secrets) ? name : `<member of ${name.length} characters>`

const sanitizeText = (text: string, member: string, { alias, secrets }: SanitizeRules): string => {
  if (member === "job_id" || member === "id") return alias("job", text)
  if (wordMembers.has(member) && word.test(text) && !holds(text, secrets)) return text
  return URL.canParse(text) && /^https?:/i.test(text) ? alias("url", text) : `<text of ${text.length} characters>`
}

const holds = (text: string, secrets: ReadonlyArray<string>): boolean =>
  secrets.some((secret) => secret !== "" && text.includes(secret))
