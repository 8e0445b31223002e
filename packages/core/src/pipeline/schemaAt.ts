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
        return isObject(properties) ? alternatives(root, properties[key]) : []
      }),
    alternatives(root, root)
  )

/** The members a JSON Schema knows at a path. */
export const membersAt = (root: unknown, path: ReadonlyArray<string | number>): ReadonlyArray<string> => [
  ...new Set(at(root, path).flatMap(({ properties }) => (isObject(properties) ? Object.keys(properties) : [])))
]

/** The values a JSON Schema lists at a path, in words; undefined where it lists none. */
export const expectedAt = (root: unknown, path: ReadonlyArray<string | number>): string | undefined => {
  const values = at(root, path).flatMap((schema) => (Array.isArray(schema.enum) ? schema.enum : []))
  return values.length === 0 ? undefined : `one of ${values.map((value) => JSON.stringify(value)).join(", ")}`
}
