import { parse } from "@humanwhocodes/momoa"
import { Predicate, Result } from "effect"

/** Where a text is no JSON, and why; undefined where it is. Quotes nothing of it. */
export const strictJson = (text: string): { readonly offset: number; readonly message: string } | undefined => {
  const parsed = Result.try({ try: () => parse(text, { mode: "json" }), catch: (error) => error })
  if (Result.isSuccess(parsed)) return undefined
  const error = parsed.failure
  const offset = Predicate.hasProperty(error, "offset") && typeof error.offset === "number" ? error.offset : 0
  // Of a text that ends too soon the parser does not say where.
  if (/^\s*,?\s*$/.test(text.slice(offset)) || (error instanceof Error && error.constructor.name === "UnexpectedEOF")) {
    return { offset: text.length, message: "not valid JSON: the text ends before it is complete" }
  }
  const before = text.slice(0, offset).trimEnd()
  if (/[}\]]/.test(text[offset] ?? "") && before.endsWith(",")) {
    return { offset: before.length - 1, message: "not valid JSON: remove the trailing comma" }
  }
  if (text[offset] === "/" || text[offset] === "#") {
    return { offset, message: "not valid JSON: JSON has no comments; remove them, or name the file .yaml" }
  }
  return { offset, message: "not valid JSON: this is not expected here" }
}
