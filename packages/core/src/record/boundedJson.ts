/** Whether a JSON value holds no objects and lists nested deeper than so many. Itself goes no deeper. */
const isNestedWithin = (value: unknown, depth: number): boolean => {
  if (typeof value !== "object" || value === null) return true
  return depth > 0 && Object.values(value).every((inner) => isNestedWithin(inner, depth - 1))
}

/** A JSON value as text, null standing for what is nested deeper than so many: `JSON.stringify` alone throws at some depth. */
export const boundedJson = (value: unknown, depth: number): string =>
  JSON.stringify(isNestedWithin(value, depth) ? value : prune(value, depth)) ?? "null"

const prune = (value: unknown, depth: number): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (depth === 0) return null
  if (Array.isArray(value)) return value.map((inner) => prune(inner, depth - 1))
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, prune(inner, depth - 1)]))
}
