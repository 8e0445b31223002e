/** Where a position of Postgres is in a statement: it counts characters from 1, and a character may be two units of a string. */
export const placeInSql = (sql: string, position: number | undefined): string => {
  if (position === undefined) return ""
  const before = [...sql].slice(0, position - 1).join("")
  const lines = before.split("\n")
  return ` (line ${lines.length}, column ${[...(lines.at(-1) ?? "")].length + 1})`
}
