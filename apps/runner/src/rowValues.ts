import type { Column } from "@sluice/sink-postgres"

/** A value as text: null is nothing, JSON and arrays are JSON. */
export const csvCell = (value: unknown): string =>
  value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value)

/** Names of columns of which none is another's: the second `n` is `n_2`. */
export const uniqueNames = (columns: ReadonlyArray<Pick<Column, "name">>): ReadonlyArray<string> => {
  const taken = new Set<string>()
  return columns.map(({ name }) => {
    let unique = name
    for (let n = 2; taken.has(unique); n++) unique = `${name}_${n}`
    taken.add(unique)
    return unique
  })
}

/** A row as a JSON object. */
export const jsonRow = (names: ReadonlyArray<string>, row: ReadonlyArray<unknown>): string =>
  `{${names.map((name, at) => `${JSON.stringify(name)}:${JSON.stringify(row[at] ?? null)}`).join(",")}}`
