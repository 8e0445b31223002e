import type { Schema } from "effect"
import { cleanText } from "./recordValidation.ts"

/** How deep JSON of unknown shape may be nested: stores and JSON writers give up somewhere, each in its own way. */
export const deepest = 64

/** JSON that every store takes: null for what is nested too deep, U+FFFD for what no text column takes. */
export const storableJson = (value: unknown, depth = deepest): Schema.Json => {
  if (typeof value === "string") return cleanText(value)
  if (typeof value === "number") return Number.isFinite(value) ? value : null
  if (typeof value === "boolean") return value
  if (typeof value !== "object" || value === null || depth === 0) return null
  if (Array.isArray(value)) return value.map((inner) => storableJson(inner, depth - 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [cleanText(name), storableJson(inner, depth - 1)])
  )
}
