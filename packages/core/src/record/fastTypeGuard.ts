import { Schema, type SchemaAST } from "effect"

type Guard = (value: unknown) => boolean

/**
 * Whether a JSON value is of a schema's type, at a third of what the schema's own parser takes: it does not say what is wrong,
 * and copies nothing. The parser accepts every value that this accepts, unchanged except for members the schema does not name.
 * A value that this rejects may still be valid. Throws if the schema would change a value.
 */
export const fastTypeGuard = <A>(schema: Schema.Codec<A, unknown>): ((value: unknown) => value is A) =>
  guardOf(schema.ast) as (value: unknown) => value is A

const guardOf = (ast: SchemaAST.AST): Guard => {
  if (ast.encoding !== undefined) throw new Error("a schema that changes its values has no guard")
  // Checks are the schema's own affair.
  if (ast.checks !== undefined) return leafGuard(ast)
  switch (ast._tag) {
    case "String":
      return (value) => typeof value === "string"
    case "Null":
      return (value) => value === null
    case "Literal":
      return (value) => value === ast.literal
    case "Union":
      return ast.options?.mode === "oneOf" ? leafGuard(ast) : anyGuard(ast.types.map(guardOf))
    case "Arrays":
      return ast.elements.length === 0 && ast.rest.length === 1 ? listGuard(guardOf(ast.rest[0]!)) : leafGuard(ast)
    case "Objects":
      return ast.indexSignatures.length === 0 ? objectGuard(ast.propertySignatures) : leafGuard(ast)
    default:
      return leafGuard(ast)
  }
}

const leafGuard = (ast: SchemaAST.AST): Guard => Schema.is(Schema.make(ast))

const anyGuard = (guards: ReadonlyArray<Guard>): Guard => {
  const [first, second, ...rest] = guards
  return first !== undefined && second !== undefined && rest.length === 0
    ? (value) => first(value) || second(value)
    : (value) => guards.some((guard) => guard(value))
}

const listGuard =
  (guard: Guard): Guard =>
  (value) => {
    if (!Array.isArray(value)) return false
    for (let at = 0; at < value.length; at++) if (!guard(value[at])) return false
    return true
  }

const objectGuard = (signatures: ReadonlyArray<SchemaAST.PropertySignature>): Guard => {
  const members = signatures.map(({ name, type }) => ({
    name,
    guard: guardOf(type),
    isOptional: type.context?.isOptional === true
  }))
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false
    const object = value as { readonly [name: PropertyKey]: unknown }
    for (const { guard, isOptional, name } of members) {
      const member = object[name]
      if (member === undefined ? !isOptional || Object.hasOwn(object, name) : !guard(member)) return false
    }
    return true
  }
}
