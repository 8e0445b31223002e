/** Longer cells are cut. */
const widestCell = 60

/** Rows as a table of text, for people. */
export const describeTable = (rows: ReadonlyArray<Readonly<Record<string, unknown>>>): string => {
  const [first] = rows
  if (first === undefined) return "(no rows)"
  const columns = Object.keys(first)
  const lines = [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]!.length)))
  const draw = (line: ReadonlyArray<string>) =>
    line
      .map((text, index) => text.padEnd(widths[index]!))
      .join("  ")
      .trimEnd()
  const [head, ...body] = lines.map(draw)
  return [head, widths.map((width) => "-".repeat(width)).join("  "), ...body].join("\n")
}

const cell = (value: unknown): string => {
  const text =
    value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : `${value}`
  const line = text.replace(/\s+/g, " ")
  return line.length > widestCell ? `${line.slice(0, widestCell - 1)}…` : line
}
