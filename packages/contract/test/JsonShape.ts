/** What a JSON Schema of an OpenAPI document accepts, with `$ref`, `allOf` and nullable spellings folded away. */
export interface Shape {
  readonly types: ReadonlyArray<string>
  readonly enum: ReadonlyArray<unknown> | undefined
  readonly facets: { readonly [keyword: string]: unknown }
  readonly required: ReadonlyArray<string>
  readonly properties: { readonly [name: string]: Shape }
  readonly items: Shape | undefined
  /** The values of an object without fixed names; undefined where anything goes. */
  readonly values: Shape | undefined
  /** The alternatives of an `anyOf` that says more than "or null". */
  readonly variants: ReadonlyArray<Shape>
}

// biome-ignore lint/suspicious/noExplicitAny: a foreign document, read by name
export type Json = { readonly [key: string]: any }

const facetNames = ["format", "default", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"]
/** Said about a schema, not by it; `pattern` is how the generator spells formats it also names. */
const silent = ["description", "examples", "title", "pattern", "x-confidence"]
const known = new Set([
  ...facetNames,
  ...silent,
  ...["$ref", "allOf", "anyOf", "type", "enum", "required", "properties", "items", "additionalProperties"]
])

/** The value a local reference points at. */
export const resolve = (document: Json, value: Json): Json => {
  if (typeof value.$ref !== "string") return value
  const target = value.$ref
    .slice(2)
    .split("/")
    .reduce((at: Json | undefined, key: string) => at?.[key], document)
  if (target === undefined) throw new Error(`nothing at ${value.$ref}`)
  const { $ref: _, ...beside } = value
  return resolve(document, { ...target, ...beside })
}

const nothing: Shape = {
  types: [],
  enum: undefined,
  facets: {},
  required: [],
  properties: {},
  items: undefined,
  values: undefined,
  variants: []
}

const merge = (a: Shape, b: Shape): Shape => ({
  types: [...new Set([...a.types, ...b.types])].sort(),
  enum: a.enum ?? b.enum,
  facets: { ...a.facets, ...b.facets },
  required: [...new Set([...a.required, ...b.required])].sort(),
  properties: { ...a.properties, ...b.properties },
  items: a.items ?? b.items,
  values: a.values ?? b.values,
  variants: [...a.variants, ...b.variants]
})

const isBare = (schema: Json) => Object.keys(schema).join() === "type"

/** Reads a schema; a keyword this reader does not understand is an error, so nothing goes uncompared. */
export const shapeOf = (document: Json, schema: Json): Shape => {
  const { allOf = [], anyOf = [], ...own } = resolve(document, schema)
  for (const keyword of Object.keys(own)) if (!known.has(keyword)) throw new Error(`unread keyword ${keyword}`)
  const solid: ReadonlyArray<Json> = anyOf.filter((option: Json) => !isBare(option))
  const shape: Shape = {
    types: [own.type ?? [], anyOf.filter(isBare).flatMap((option: Json) => option.type)].flat(),
    enum: own.enum,
    facets: Object.fromEntries(facetNames.filter((name) => name in own).map((name) => [name, own[name]])),
    required: own.required ?? [],
    properties: Object.fromEntries(
      Object.entries<Json>(own.properties ?? {}).map(([name, inner]) => [name, shapeOf(document, inner)])
    ),
    items: own.items === undefined ? undefined : shapeOf(document, own.items),
    values: typeof own.additionalProperties === "object" ? shapeOf(document, own.additionalProperties) : undefined,
    variants: solid.length > 1 ? solid.map((option) => shapeOf(document, option)) : []
  }
  return [...allOf, ...(solid.length === 1 ? solid : [])]
    .map((part: Json) => shapeOf(document, part))
    .reduce(merge, merge(nothing, shape))
}

const show = (value: unknown) => (value === undefined ? "none" : JSON.stringify(value))

const membersOf = (shape: Shape) => Object.keys(shape.properties).sort().join(",")

/** Every way in which `ours` says something else than `theirs`, each as one line that begins with the place. */
export const differences = (place: string, theirs: Shape, ours: Shape): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const compare = (what: string, a: unknown, b: unknown) => {
    if (show(a) !== show(b)) lines.push(`${place}: ${what} ${show(a)}, here ${show(b)}`)
  }
  compare("type", theirs.types, ours.types)
  compare("enum", theirs.enum, ours.enum)
  compare("required", theirs.required, ours.required)
  for (const name of facetNames) compare(name, theirs.facets[name], ours.facets[name])
  const inner = (suffix: string, a: Shape | undefined, b: Shape | undefined) => {
    if (a !== undefined && b !== undefined) lines.push(...differences(place + suffix, a, b))
    else if (a !== undefined || b !== undefined)
      lines.push(`${place}${suffix}: ${a === undefined ? "added" : "missing"}`)
  }
  for (const name of new Set([...Object.keys(theirs.properties), ...Object.keys(ours.properties)])) {
    inner(`.${name}`, theirs.properties[name], ours.properties[name])
  }
  inner("[]", theirs.items, ours.items)
  inner("{}", theirs.values, ours.values)
  const byMembers = (shape: Shape) =>
    new Map((shape.variants.length > 0 ? shape.variants : [shape]).map((v) => [membersOf(v), v]))
  if (theirs.variants.length + ours.variants.length > 0) {
    const [a, b] = [byMembers(theirs), byMembers(ours)]
    for (const members of new Set([...a.keys(), ...b.keys()])) inner(` or {${members}}`, a.get(members), b.get(members))
  }
  return lines
}
