import type { AlignType, PhrasingContent, Table, TableCell, TableRow } from "mdast"
import { attribute, classesOf, elementsIn, type HtmlElement } from "./Elements.ts"
import type { CellFacts } from "./TableCell.ts"

/** A cell as it was read. */
export interface ReadCell extends CellFacts {
  readonly children: Array<PhrasingContent>
}

/** How a table is read: as data, as a block of code whose lines are its rows, or, if it is there for the layout, as blocks. */
export type TableUse = "data" | "code" | "layout"

/** Elements that say that an uneven table without headers is there for the layout. */
const sections = new Set(["h1", "h2", "h3", "h4", "h5", "h6", "hr"])

/** Tells what a table is there for. */
export const tableUse = (table: HtmlElement): TableUse => {
  const role = attribute(table, "role")
  if (role === "presentation" || role === "none") return "layout"
  let rows = 0
  let columns = 0
  let inRow = 0
  let inFirst = 0
  let hasHeader = false
  let hasSections = false
  let isEven = true
  const endRow = () => {
    if (rows > 1 && inRow !== inFirst) isEven = false
    if (rows === 1) inFirst = inRow
  }
  for (const element of elementsIn(table)) {
    hasSections ||= sections.has(element.tagName)
    switch (element.tagName) {
      // No cell of a Markdown table can hold one.
      case "table":
        return "layout"
      case "thead":
        hasHeader = true
        break
      case "tr":
        endRow()
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
  endRow()
  // Headings and rules are in tables for the layout too, but those are seldom even.
  return hasHeader || (rows > 1 && columns > 1 && (!hasSections || isEven)) ? "data" : "layout"
}

/** Cells that spans may make out of one table; one that asks for more loses its spans. */
const maxSpannedCells = 20_000

/**
 * A table of Markdown. A cell is where a browser shows it, in the first of the places it spans; the others are empty.
 * Without a header of its own it has an empty one, because Markdown has no table without.
 */
export const tableOf = (rows: ReadonlyArray<ReadonlyArray<ReadCell>>, columns: ReadonlyArray<AlignType>): Table => {
  let spanned = 0
  for (const cell of rows.flat()) spanned += cell.colSpan * Math.min(cell.rowSpan, rows.length) - 1
  const spans = spanned <= maxSpannedCells
  // No wider than there are cells, whatever they span.
  let width = 0
  const taken: Array<Array<TableCell>> = rows.map(() => [])
  const aligns: Array<Array<AlignType>> = []
  rows.forEach((row, r) => {
    const here = taken[r]!
    let c = 0
    for (const cell of row) {
      while (here[c] !== undefined) c++
      here[c] = { type: "tableCell", children: cell.children }
      if (cell.colSpan === 1) {
        const column = aligns[c] ?? []
        aligns[c] = column
        column[r] = cell.align
      }
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
  const align = Array.from({ length: width }, (_, c) => alignOfColumn(aligns[c] ?? [], isHeaded) ?? columns[c] ?? null)
  return { type: "table", align: align.some((each) => each !== null) ? align : [], children: [header, ...lines] }
}

/** The alignment of the header, unless most of the cells below it have another. */
const alignOfColumn = (cells: ReadonlyArray<AlignType>, isHeaded: boolean): AlignType => {
  const body = Array.from(cells).slice(isHeaded ? 1 : 0)
  for (const align of ["left", "center", "right"] as const) {
    if (body.filter((each) => each === align).length * 2 > body.length) return align
  }
  return (isHeaded ? cells[0] : null) ?? null
}

/** Whether a row is one of headers: more of them than one, which may be that of the row. */
const isHeaderRow = (row: ReadonlyArray<ReadCell>): boolean => {
  const headers = row.filter(({ isHeader }) => isHeader).length
  return headers > 0 && (headers > 1 || row.length < 3) && headers * 2 >= row.length
}

const empty = (): TableCell => ({ type: "tableCell", children: [] })
