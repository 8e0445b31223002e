import { Predicate } from "effect"

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => Predicate.isObject(value) && !Array.isArray(value)

/** Follows `$ref` and flattens `anyOf`, `oneOf` and `allOf`: every object schema a value there may have to fit. */
const alternatives = (root: unknown, schema: unknown, depth = 0): ReadonlyArray<Json> => {
  if (!isObject(schema) || depth > 20) return []
  const { $ref: ref } = schema
  if (typeof ref === "string") {
    const target = ref
      .split("/")
      .slice(1)
      .reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), root)
    return alternatives(root, target, depth + 1)
  }
  const inner = ["anyOf", "oneOf", "allOf"].flatMap((key) => {
    const list = schema[key]
    return Array.isArray(list) ? list.flatMap((each) => alternatives(root, each, depth + 1)) : []
  })
  return [schema, ...inner]
}

const at = (root: unknown, path: ReadonlyArray<string | number>): ReadonlyArray<Json> =>
  path.reduce<ReadonlyArray<Json>>(
    (schemas, key) =>
      schemas.flatMap((schema) => {
        const { items, properties } = schema
        if (typeof key === "number") return alternatives(root, items)
        const { additionalProperties } = schema
        const member = isObject(properties) ? properties[key] : undefined
        return alternatives(root, member ?? (isObject(additionalProperties) ? additionalProperties : undefined))
      }),
    alternatives(root, root)
  )

/** The members a JSON Schema knows at a path. */
export const membersAt = (root: unknown, path: ReadonlyArray<string | number>): ReadonlyArray<string> => [
  ...new Set(at(root, path).flatMap(({ properties }) => (isObject(properties) ? Object.keys(properties) : [])))
]

/** The values a JSON Schema lists at a path, in words, or else the types it has there; undefined where it tells neither. */
export const expectedAt = (root: unknown, path: ReadonlyArray<string | number>): string | undefined => {
  const schemas = at(root, path)
  const values = schemas.flatMap((schema) => (Array.isArray(schema.enum) ? schema.enum : []))
  if (values.length > 0) return `one of ${values.map((value) => JSON.stringify(value)).join(", ")}`
  const types = new Set([...typesAt(root, path)].map((type) => wordFor[type] ?? type))
  return types.size === 0 ? undefined : [...types].join(" or ")
}

/** The types of values a JSON Schema takes at a path; a list of values counts as their types. */
export const typesAt = (root: unknown, path: ReadonlyArray<string | number>): ReadonlySet<string> =>
  new Set(
    at(root, path).flatMap(({ enum: values, type }) => {
      if (Array.isArray(values)) return values.map((value) => typeof value)
      return typeof type === "string" ? [type] : []
    })
  )

/** Of a number that has to be whole, its check says so: its type is that of every number. */
const wordFor: Readonly<Record<string, string>> = { integer: "number" }
