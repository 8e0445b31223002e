import { Predicate } from "effect"
import { type FieldText, fieldTexts } from "./fieldTexts.ts"

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => Predicate.isObject(value) && !Array.isArray(value)

/** Every property of a JSON Schema with the key it has in {@link fieldTexts}, definition by definition. */
export const propertiesOf = (schema: Json): ReadonlyArray<{ readonly key: string; readonly property: Json }> => {
  const { $defs: definitions, ...root } = schema
  const found: Array<{ readonly key: string; readonly property: Json }> = []
  visit(root, "", (property, key) => {
    found.push({ key, property })
    return property
  })
  for (const [name, definition] of Object.entries(isObject(definitions) ? definitions : {})) {
    visit(definition, name, (property, key) => {
      found.push({ key, property })
      return property
    })
  }
  return found
}

/** The text of a property, by its whole key or by its name. */
export const fieldTextOf = (key: string): FieldText | undefined =>
  fieldTexts[key] ?? fieldTexts[key.slice(key.lastIndexOf(".") + 1)]

/** A JSON Schema of pipeline files in which each property has a description: what it is for, its unit, bounds and default. */
export const describeFields = (schema: Json): Record<string, unknown> => {
  const { $defs: definitions, ...root } = schema
  const described = (node: unknown, name: string) => visit(node, name, describeProperty)
  return {
    ...(described(root, "") as Json),
    $defs: Object.fromEntries(
      Object.entries(isObject(definitions) ? definitions : {}).map(([name, node]) => [name, described(node, name)])
    )
  }
}

const describeProperty = (property: Json, key: string): Json => {
  const text = fieldTextOf(key)
  if (text === undefined) return property
  const { default: _, ...others } = property
  return {
    ...others,
    description: `${text.what}${measure(property, text)}. ${whenAbsent(text)}`,
    ...(text.fallback === undefined ? {} : { default: text.fallback })
  }
}

/** Unit and bounds, as the schema has them. */
const measure = (property: Json, { unit }: FieldText): string => {
  const { maximum, minimum } = boundsOf(property)
  const bounds =
    minimum === undefined && maximum === undefined
      ? undefined
      : maximum === undefined
        ? `${minimum} or more`
        : `${minimum ?? 0} to ${maximum}`
  const parts = [bounds, unit].filter((part) => part !== undefined)
  return parts.length === 0 ? "" : ` (${parts.join(" ")})`
}

const boundsOf = (property: Json): { readonly minimum?: string; readonly maximum?: string } => {
  const alternatives = Array.isArray(property.anyOf) ? property.anyOf.filter(isObject) : []
  const [bounded = property] = [property, ...alternatives].filter((each) => typeof each.minimum === "number")
  const spell = (name: "minimum" | "maximum") => {
    const value = bounded[name]
    // JavaScript's own bound on integers is none of ours.
    return typeof value === "number" && value < Number.MAX_SAFE_INTEGER ? { [name]: value.toLocaleString("en-US") } : {}
  }
  return { ...spell("minimum"), ...spell("maximum") }
}

const whenAbsent = ({ absent, fallback, required }: FieldText): string => {
  if (required === true) return "Required."
  return fallback === undefined ? `When absent: ${absent}.` : `Default: ${shown(fallback)}.`
}

const shown = (value: unknown): string =>
  typeof value === "string" ? (value === "" ? "empty" : value) : JSON.stringify(value)

/** Rebuilds a schema with each of its properties replaced. */
const visit = (node: unknown, at: string, replace: (property: Json, key: string) => Json): unknown => {
  if (Array.isArray(node)) return node.map((each) => visit(each, at, replace))
  if (!isObject(node)) return node
  return Object.fromEntries(
    Object.entries(node).map(([member, value]) => {
      if (member !== "properties" || !isObject(value)) return [member, visit(value, at, replace)]
      const properties = Object.entries(value).map(([name, property]) => {
        const key = `${at}.${name}`
        const inner = visit(property, key, replace)
        return [name, isObject(inner) ? replace(inner, key) : inner]
      })
      return [member, Object.fromEntries(properties)]
    })
  )
}
