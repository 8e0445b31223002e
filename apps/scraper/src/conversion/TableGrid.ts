import type { AlignType, PhrasingContent, Table, TableCell, TableRow } from "mdast"
import { attribute, classesOf, elementsIn, type HtmlElement } from "./Elements.ts"

/** A cell as it was read. */
export interface ReadCell {
  readonly children: Array<PhrasingContent>
  readonly isHeader: boolean
  readonly align: AlignType
  readonly colSpan: number
  readonly rowSpan: number
}

/** How a table is read: as data, as a block of code whose lines are its rows, or, if it is there for the layout, as blocks. */
export type TableUse = "data" | "code" | "layout"

/** Elements that no cell of a Markdown table can hold and that say that a table is there for the layout. */
const tooMuch = new Set(["table", "h1", "h2", "h3", "h4", "h5", "h6", "hr"])

/** Tells what a table is there for. */
export const tableUse = (table: HtmlElement): TableUse => {
  const role = attribute(table, "role")
  if (role === "presentation" || role === "none") return "layout"
  let rows = 0
  let columns = 0
  let inRow = 0
  let hasHeader = false
  for (const element of elementsIn(table)) {
    if (tooMuch.has(element.tagName)) return "layout"
    switch (element.tagName) {
      case "tr":
        rows++
        inRow = 0
        break
      case "th":
      case "td": {
        inRow++
        columns = Math.max(columns, inRow)
        hasHeader ||= element.tagName === "th"
        const classes = classesOf(element)
        if (classes.includes("blob-code")) return "code"
        if (classes.includes("linenos") || classes.includes("gutter")) return "layout"
        break
      }
    }
  }
  return hasHeader || (rows > 1 && columns > 1) ? "data" : "layout"
}

/** Cells that spans may make out of one table; one that asks for more loses its spans. */
const maxSpannedCells = 20_000

/**
 * A table of Markdown. A cell is where a browser shows it, in the first of the places it spans; the others are empty.
 * Without a header of its own it has an empty one, because Markdown has no table without.
 */
export const tableOf = (rows: ReadonlyArray<ReadonlyArray<ReadCell>>): Table => {
  let spanned = 0
  for (const cell of rows.flat()) spanned += cell.colSpan * Math.min(cell.rowSpan, rows.length) - 1
  const spans = spanned <= maxSpannedCells
  // No wider than there are cells, whatever they span.
  let width = 0
  const taken: Array<Array<TableCell>> = rows.map(() => [])
  rows.forEach((row, r) => {
    const here = taken[r]!
    let c = 0
    for (const cell of row) {
      while (here[c] !== undefined) c++
      here[c] = { type: "tableCell", children: cell.children }
      if (spans) {
        for (let down = 0; down < Math.min(cell.rowSpan, rows.length - r); down++) {
          for (let right = 0; right < cell.colSpan; right++) taken[r + down]![c + right] ??= empty()
        }
      }
      c++
      width = Math.max(width, c)
    }
  })
  const lines = taken.map(
    (cells): TableRow => ({ type: "tableRow", children: Array.from(cells, (cell) => cell ?? empty()) })
  )
  const isHeaded = isHeaderRow(rows[0] ?? [])
  for (const { children } of lines) children.splice(width)
  const header: TableRow = { type: "tableRow", children: Array.from({ length: width }, empty) }
  if (isHeaded) {
    const first = lines.shift()!
    first.children.forEach((cell, index) => {
      header.children[index] = cell
    })
  }
  return { type: "table", align: (isHeaded ? rows[0]! : []).map(({ align }) => align), children: [header, ...lines] }
}

/** Whether a row is one of headers: more of them than one, which may be that of the row. */
const isHeaderRow = (row: ReadonlyArray<ReadCell>): boolean => {
  const headers = row.filter(({ isHeader }) => isHeader).length
  return headers > 0 && (headers > 1 || row.length < 3) && headers * 2 >= row.length
}

const empty = (): TableCell => ({ type: "tableCell", children: [] })

/** What a cell says of itself. */
export const cellFacts = (cell: HtmlElement, isInHead: boolean): Omit<ReadCell, "children"> => ({
  isHeader: cell.tagName === "th" || isInHead,
  align: alignOf(cell),
  colSpan: spanOf(attribute(cell, "colspan"), 1000),
  rowSpan: spanOf(attribute(cell, "rowspan"), 65_534)
})

const spanOf = (value: string | undefined, most: number): number =>
  Math.min(most, Math.max(1, Number.parseInt(value ?? "1", 10) || 1))

const alignOf = (cell: HtmlElement): AlignType => {
  const told = (
    /text-align\s*:\s*(\w+)/i.exec(attribute(cell, "style") ?? "")?.[1] ?? attribute(cell, "align")
  )?.toLowerCase()
  return told === "left" || told === "right" || told === "center" ? told : null
}
