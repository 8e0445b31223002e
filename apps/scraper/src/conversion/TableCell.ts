import type { AlignType } from "mdast"
import { attribute, classesOf, elementsIn, type HtmlElement, parentOf } from "./Elements.ts"

/** What a cell says of itself. */
export interface CellFacts {
  readonly isHeader: boolean
  readonly align: AlignType
  readonly colSpan: number
  readonly rowSpan: number
}

export const cellFacts = (cell: HtmlElement): CellFacts => {
  const row = parentOf(cell)
  const section = row === undefined ? undefined : parentOf(row)
  return {
    isHeader: cell.tagName === "th" || section?.tagName === "thead",
    align: alignOf(cell) ?? alignOf(row) ?? alignOf(section),
    colSpan: spanOf(attribute(cell, "colspan"), 1000),
    rowSpan: spanOf(attribute(cell, "rowspan"), 65_534)
  }
}

/** Where a browser shows a row, wherever it is in the page: heads first, feet last. */
export const sectionOf = (row: HtmlElement): number => {
  const section = parentOf(row)?.tagName
  return section === "thead" ? 0 : section === "tfoot" ? 2 : 1
}

/** Columns past this many have no alignment of their own. */
const mostColumns = 1000

/** What `<col>` says of the columns. */
export const columnAligns = (table: HtmlElement): ReadonlyArray<AlignType> => {
  const aligns: Array<AlignType> = []
  for (const element of elementsIn(table)) {
    if (element.tagName === "tr") break
    if (element.tagName !== "col") continue
    const align = alignOf(element) ?? alignOf(parentOf(element))
    for (let span = spanOf(attribute(element, "span"), mostColumns); span > 0 && aligns.length < mostColumns; span--) {
      aligns.push(align)
    }
  }
  return aligns
}

const spanOf = (value: string | undefined, most: number): number =>
  Math.min(most, Math.max(1, Number.parseInt(value ?? "1", 10) || 1))

const named = /^(?:text|has-text-align|align|ta)-?(left|center|right|start|end)$/i

const alignOf = (element: HtmlElement | undefined): AlignType => {
  if (element === undefined) return null
  const told =
    /(?:^|[;\s])text-align\s*:\s*(\w+)/i.exec(attribute(element, "style") ?? "")?.[1] ??
    attribute(element, "align") ??
    classesOf(element)
      .map((each) => named.exec(each)?.[1])
      .find((each) => each !== undefined)
  const align = told?.toLowerCase()
  if (align === "left" || align === "start") return "left"
  if (align === "right" || align === "end") return "right"
  return align === "center" ? "center" : null
}
