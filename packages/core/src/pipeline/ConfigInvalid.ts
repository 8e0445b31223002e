import { Effect, Result, Schema, type SchemaIssue } from "effect"
import { distance } from "fastest-levenshtein"
import { expectedAt, membersAt } from "./schemaAt.ts"

/** One thing wrong with a pipeline's configuration: where it is, and what was expected. */
export const ConfigIssue = Schema.Struct({
  path: Schema.Array(Schema.Union([Schema.String, Schema.Finite])),
  message: Schema.String
})
export type ConfigIssue = typeof ConfigIssue.Type

/** A configuration that makes no sense. Quotes no value of it. */
export class ConfigInvalid extends Schema.TaggedError<ConfigInvalid>()("ConfigInvalid", {
  issues: Schema.NonEmptyArray(ConfigIssue)
}) {
  override get message(): string {
    return this.issues.map(({ message, path }) => `${path.join(".")}: ${message}`).join("\n")
  }
}

/** What a configuration means by a schema, or everything that is wrong with it, in a user's words. */
export const decodeConfig = Effect.fnUntraced(function* <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  config: unknown
): Effect.fn.Return<S["Type"], ConfigInvalid> {
  const decoded = Schema.decodeUnknownResult(schema)(config, { errors: "all", onExcessProperty: "error" })
  if (Result.isSuccess(decoded)) return decoded.success
  const json = configJsonSchema(schema)
  const [first, ...others] = problemsOf(decoded.failure.issue, []).map(({ path, problem }) => ({
    path,
    message: explain(json, path, problem)
  }))
  return yield* new ConfigInvalid({ issues: [first ?? { path: [], message: "it is no pipeline" }, ...others] })
})

/** The JSON Schema of a configuration: unknown members are errors. */
export const configJsonSchema = (schema: Schema.Constraint): Record<string, unknown> => {
  const { definitions, schema: root } = Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" })
  return { $schema: "https://json-schema.org/draft/2020-12/schema", ...root, $defs: definitions }
}

type Path = ReadonlyArray<string | number>

/** What is the matter with a value: `says` is a sentence of our own, `expected` names what was expected. */
type Problem =
  | { readonly tag: "unknown" | "missing" | "type" }
  | { readonly tag: "says" | "expected"; readonly text: string }

interface Located {
  readonly path: Path
  readonly problem: Problem
}

/** The leaves of an issue. */
const problemsOf = (issue: SchemaIssue.Issue, path: Path): ReadonlyArray<Located> => {
  switch (issue._tag) {
    case "Pointer":
      return problemsOf(issue.issue, [...path, ...issue.path.map(toKey)])
    case "Encoding":
      return problemsOf(issue.issue, path)
    case "Filter": {
      const expected = expectation(issue.filter.annotations)
      return issue.issue._tag === "InvalidValue" &&
        expectation(issue.issue.annotations) === undefined &&
        expected !== undefined
        ? [{ path, problem: expected }]
        : problemsOf(issue.issue, path)
    }
    case "Composite":
      return issue.issues.flatMap((inner) => problemsOf(inner, path))
    case "AnyOf":
      return issue.issues.length === 0
        ? [{ path, problem: { tag: "type" } }]
        : issue.issues.flatMap((inner) => problemsOf(inner, path))
    case "MissingKey":
      return [{ path, problem: { tag: "missing" } }]
    case "UnexpectedKey":
      return [{ path, problem: { tag: "unknown" } }]
    case "InvalidValue":
    case "Forbidden":
      return [{ path, problem: expectation(issue.annotations) ?? { tag: "type" } }]
    case "InvalidType":
    case "OneOf":
      return [{ path, problem: expectation(issue.ast.annotations) ?? { tag: "type" } }]
  }
}

const toKey = (key: PropertyKey): string | number => (typeof key === "number" ? key : String(key))

/** What an annotation says was expected. */
const expectation = (
  annotations: { readonly message?: unknown; readonly expected?: unknown } | undefined
): Problem | undefined => {
  if (typeof annotations?.message === "string") return { tag: "says", text: annotations.message }
  return typeof annotations?.expected === "string" ? { tag: "expected", text: annotations.expected } : undefined
}

/** Puts a problem in a user's words: what was meant by an unknown name, which values there are. */
const explain = (json: unknown, path: Path, problem: Problem): string => {
  switch (problem.tag) {
    case "missing":
      return "is required"
    case "unknown":
      return unknownField(membersAt(json, path.slice(0, -1)), `${path.at(-1)}`)
    case "says":
      return problem.text
    case "expected":
      return `${problem.text.startsWith("at least one of") ? "must have" : "must be"} ${problem.text}`
    case "type": {
      const members = path.length === 0 ? [] : membersAt(json, path)
      if (members.length > 0) return `must hold fields: ${members.join(", ")} (write {} for none)`
      return `must be ${expectedAt(json, path) ?? "another value"}`
    }
  }
}

const unknownField = (members: ReadonlyArray<string>, name: string): string => {
  const [nearest] = [...members].sort((a, b) => distance(a, name) - distance(b, name))
  if (nearest === undefined) return `unknown field "${name}"`
  return distance(nearest, name) <= Math.max(2, nearest.length / 3)
    ? `unknown field "${name}"; did you mean "${nearest}"?`
    : `unknown field "${name}" (known: ${members.join(", ")})`
}
