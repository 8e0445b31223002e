import cliTruncate from "cli-truncate"
import stringWidth from "string-width"

/** Wider cells are cut, in terminal columns. */
const widestCell = 60

/** Rows as a text table for people. Widths are terminal columns: a wide character takes two. */
export const describeTable = (rows: ReadonlyArray<Readonly<Record<string, unknown>>>): string => {
  const [first] = rows
  if (first === undefined) return "(no rows)"
  const columns = Object.keys(first)
  const lines = [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => stringWidth(line[index]!))))
  const draw = (line: ReadonlyArray<string>) =>
    line
      .map((text, index) => text + " ".repeat(widths[index]! - stringWidth(text)))
      .join("  ")
      .trimEnd()
  const [head, ...body] = lines.map(draw)
  return [head, widths.map((width) => "-".repeat(width)).join("  "), ...body].join("\n")
}

const cell = (value: unknown): string => {
  const text =
    value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : `${value}`
  const line = text.replace(/\s+/g, " ")
  return cliTruncate(line, widestCell)
}
