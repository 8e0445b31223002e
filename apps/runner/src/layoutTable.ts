import cliTruncate from "cli-truncate"
import stringWidth from "string-width"

/** A column of a table for people. */
export interface TableColumn {
  readonly name: string
  readonly isNumber?: boolean
}

/**
 * Lines of a table: a head, and a line for each row. Widths are terminal columns: a wide character takes two. With `columns` a line is
 * cut to them; without, nothing is.
 */
export const layoutTable = (
  head: ReadonlyArray<TableColumn>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  columns?: number
): ReadonlyArray<string> => {
  const cells = [head.map(({ name }) => name), ...rows]
  const widths = head.map((_, at) => Math.max(...cells.map((line) => stringWidth(line[at] ?? ""))))
  return cells.map((line) => {
    const text = line
      .map((cell, at) => {
        const blank = " ".repeat(Math.max(0, widths[at]! - stringWidth(cell)))
        return head[at]?.isNumber === true ? blank + cell : cell + blank
      })
      .join("  ")
      .trimEnd()
    return columns === undefined ? text : cliTruncate(text, columns)
  })
}
