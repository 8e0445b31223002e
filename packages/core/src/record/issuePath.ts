import type { Schema } from "effect"

/** Where a value departs from its schema, without its content. */
export const issuePath = (error: Schema.SchemaError): string => {
  const at = /\n\s+at (\[.*\])/.exec(error.message)
  return at?.[1] ?? "unexpected shape"
}
