/** A text of a file that came from variables, until it is known what its place takes: a text, a number or a boolean. */
export class Reference {
  readonly text: string
  readonly variables: ReadonlyArray<string>
  /** Why there is no text. */
  readonly problem: string | undefined
  /** Where it is in the file, in characters from its start. */
  readonly offset: number
  constructor(options: Pick<Reference, "text" | "variables" | "problem" | "offset">) {
    this.text = options.text
    this.variables = options.variables
    this.problem = options.problem
    this.offset = options.offset
  }
}

/** What JSON takes for a number. */
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** The value of a reference in a place that takes values of these types of JSON Schema. */
export const valueOf = ({ text }: Reference, types: ReadonlySet<string>): string | number | boolean => {
  const trimmed = text.trim()
  if (types.has("string")) return text
  if ((types.has("number") || types.has("integer")) && number.test(trimmed)) return Number(trimmed)
  if (types.has("boolean") && (trimmed === "true" || trimmed === "false")) return trimmed === "true"
  return text
}
