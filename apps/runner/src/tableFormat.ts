import cliTruncate from "cli-truncate"
import stringWidth from "string-width"
import type { RowEncoder } from "./RowEncoder.ts"
import { csvCell } from "./rowValues.ts"

/** Rows by which the widths of columns are measured: those after them are drawn as they come. */
const measuredRows = 1_000

/** How wide a table may be: on a terminal cells are cut, into a pipe nothing is. */
export interface TableWidth {
  readonly cell: number | undefined
}

/** Cells on a terminal. */
export const terminalCell = 60

/** A text table for people. Widths are terminal columns: a wide character takes two. */
export const tableFormat = ({ cell: widest }: TableWidth): RowEncoder => {
  let names: ReadonlyArray<string> = []
  let widths: ReadonlyArray<number> | undefined
  let waiting: Array<ReadonlyArray<string>> = []
  let hasRows = false

  const cellOf = (value: unknown): string => {
    const line = csvCell(value).replace(/[\s\p{Cc}]+/gu, " ")
    return widest === undefined ? line : cliTruncate(line, widest)
  }
  const draw = (line: ReadonlyArray<string>, filled: ReadonlyArray<number>) =>
    `${line
      .map((text, at) => text + " ".repeat(Math.max(0, filled[at]! - stringWidth(text))))
      .join("  ")
      .trimEnd()}\n`
  const flush = (): string => {
    const lines = waiting
    waiting = []
    if (widths !== undefined) return lines.map((line) => draw(line, widths ?? [])).join("")
    const measured = names.map((name, at) =>
      lines.reduce((most, line) => Math.max(most, stringWidth(line[at]!)), stringWidth(name))
    )
    widths = measured
    const rule = measured.map((width) => "-".repeat(width))
    return [names, rule, ...lines].map((line) => draw(line, measured)).join("")
  }
  return {
    begin: async (columns) => {
      names = columns.map(({ name }) => cellOf(name))
      return ""
    },
    rows: (rows) => {
      hasRows ||= rows.length > 0
      waiting.push(...rows.map((row) => row.map(cellOf)))
      return widths !== undefined || waiting.length >= measuredRows ? flush() : ""
    },
    end: () => (names.length === 0 ? "" : hasRows ? flush() : "(no rows)\n")
  }
}
