import type { Blockquote, Code, Heading, List, ListItem, Root, RootContent } from "mdast"
import { defaultTreeAdapter } from "parse5"
import { codeBlockOf, isCodeBlock, isLineNumber } from "./codeBlock.ts"
import {
  attribute,
  blocks,
  elementsIn,
  type HtmlElement,
  type HtmlNode,
  type HtmlParent,
  isUnread,
  parentOf
} from "./Elements.ts"
import { frameOf, imageOf, linkOf } from "./embedded.ts"
import { type Formula, formulaOf } from "./formula.ts"
import { isListNumber, type ListNumbers, listNumbers } from "./listNumbers.ts"
import { listsOf } from "./listsOf.ts"
import type { PageExtract } from "./MainContent.ts"
import { isBlank, type Mark, marked, phrasingOf, type Run } from "./Phrasing.ts"
import { cellFacts, columnAligns, sectionOf } from "./TableCell.ts"
import { type ReadCell, tableOf, tableUse } from "./TableGrid.ts"
import { textOf } from "./textOf.ts"

/** Lists and quotations nest no deeper than this; deeper ones are put at this depth. */
const maxNesting = 40

/** What blocks are added to. */
interface Container {
  readonly node: Root | Blockquote | List | ListItem
  /** The paragraph that is being read. */
  runs: Array<Run>
}

/** What a heading or a cell is read into, which stay in one line; lists and quotations in it become plain lines. */
interface Line {
  readonly runs: Array<Run>
  readonly isCell: boolean
}

/**
 * What a page shows, as mdast, its links and images absolute, under its title if it has no heading. One loop over the nodes, because pages nest deeper than the stack: of each
 * element it knows what is to be done at its end. Text is collected with the marks of the elements around it and becomes a paragraph at the
 * next border of a block, so blocks inside of inline elements, and whatever nesting broken markup has, come out right.
 */
export const mdastOf = ({ isLeftOut, root }: PageExtract, base: string, title?: string): Root => {
  let hasHeading = false
  let lastImage: string | undefined
  const document: Root = { type: "root", children: [] }
  const containers: Array<Container> = [{ node: document, runs: [] }]
  /** Lists that the page does not have, around items that it has outside of lists. */
  const loose = new WeakSet<object>()
  const numbers = new WeakMap<List, ListNumbers>()
  const numberOf = new WeakMap<ListItem, number>()
  let line: Line | undefined
  let marks: ReadonlyArray<Mark> = []

  const here = () => containers.at(-1)!
  const runs = () => line?.runs ?? here().runs

  const addBlock = (block: RootContent) => {
    const { node } = here()
    if (node.type !== "list") {
      const children: Array<RootContent> = node.children
      const last = children.at(-1)
      // Items outside of lists, one after the other, are one list.
      if (block.type === "list" && last?.type === "list" && loose.has(block) && loose.has(last)) {
        for (const item of block.children) last.children.push(item)
      } else children.push(block)
    } else if (block.type === "listItem") node.children.push(block)
    else {
      const last = node.children.at(-1)
      // A list beside the items of another belongs to the one before it.
      if (block.type === "list" && last !== undefined) last.children.push(block)
      else node.children.push({ type: "listItem", spread: false, children: [block as never] })
    }
  }

  /** Ends the paragraph. Two line breaks end one as well. */
  const endParagraph = () => {
    const container = here()
    if (container.runs.length === 0) return
    const all = container.runs
    container.runs = []
    for (const part of partedByBreaks(all)) {
      const children = isBlank(part) ? [] : phrasingOf(part, "break")
      if (children.length > 0) addBlock({ type: "paragraph", children })
    }
  }

  const border = () => {
    if (line === undefined) endParagraph()
    else if (!isBlank(line.runs)) line.runs.push({ kind: "break" })
  }

  const within = (node: Blockquote | List | ListItem) => {
    containers.push({ node, runs: [] })
    return () => {
      endParagraph()
      containers.pop()
      if (node.children.length === 0) return
      if (node.type === "listItem") node.spread = !isTight(node)
      if (node.type === "list" && node.ordered === true) for (const part of listsOf(node, numberOf)) addBlock(part)
      else addBlock(node)
    }
  }

  const inLine = (end: (runs: ReadonlyArray<Run>) => void, isCell = false) => {
    const outer = line
    const outerMarks = marks
    line = { runs: [], isCell }
    return () => {
      const { runs } = line!
      line = outer
      marks = outerMarks
      end(runs)
    }
  }

  const under = (mark: Mark) => {
    const before = marks
    marks = marked(marks, mark)
    return () => {
      marks = before
    }
  }

  const codeInLine = ({ value }: Code) => {
    for (const text of value.split("\n")) {
      if (text.trim() !== "") runs().push({ kind: "node", node: { type: "inlineCode", value: text }, marks })
      runs().push({ kind: "break" })
    }
  }

  const addNode = (node: Extract<Run, { readonly kind: "node" }>["node"] | undefined) => {
    if (node !== undefined) runs().push({ kind: "node", node, marks })
  }

  const addFormula = (formula: Formula) => {
    if (formula.isDisplayed) border()
    addNode(formula)
    if (formula.isDisplayed) border()
  }

  /** Begins an element. Answers what ends it, `skip` if its content is not to be read. */
  const begin = (element: HtmlElement): (() => void) | "skip" | undefined => {
    const { tagName } = element
    const formula = formulaOf(element)
    if (formula !== undefined) {
      if (formula !== "elsewhere") addFormula(formula)
      return "skip"
    }
    if (isCodeBlock(element)) {
      border()
      const block = codeBlockOf(element)
      // Without a text it may still have images.
      if (block.value === "") return border
      if (line === undefined) addBlock(block)
      else codeInLine(block)
      return "skip"
    }
    switch (tagName) {
      case "br":
        runs().push({ kind: "break" })
        return "skip"
      case "hr":
        border()
        if (line?.isCell === true) addNode({ type: "html", value: "<hr>" })
        else if (line === undefined && here().node.type !== "list") addBlock({ type: "thematicBreak" })
        return "skip"
      case "img": {
        const image = imageOf(element, base)
        const url = image?.type === "image" ? image.url : undefined
        // For browsers without scripts many pages have a lazy image once more.
        const isAgain = url !== undefined && url === lastImage && parentOf(element)?.tagName === "noscript"
        if (!isAgain) addNode(image)
        lastImage = url
        return "skip"
      }
      case "a": {
        const link = linkOf(element, base)
        return link === "leave" ? "skip" : link === undefined ? undefined : under(link)
      }
      case "b":
      case "strong":
      case "dt":
      case "summary":
        return tagName === "dt" || tagName === "summary"
          ? both(bordered(), under({ kind: "strong" }))
          : under({ kind: "strong" })
      case "em":
      case "i":
      case "cite":
      case "dfn":
      case "var":
        return under({ kind: "emphasis" })
      case "del":
      case "s":
      case "strike":
        return under({ kind: "delete" })
      case "code":
      case "kbd":
      case "samp":
      case "tt":
        return under({ kind: "code" })
      case "sub":
      case "sup":
        return isShort(element) ? under({ kind: tagName }) : undefined
      case "button":
        return parted()
      case "q":
        runs().push({ kind: "text", value: "“", marks })
        return () => runs().push({ kind: "text", value: "”", marks })
    }
    if (line === undefined) return beginBlock(element)
    if (line.isCell && /^h[1-6]$/.test(tagName)) return elementInCell(tagName)
    return blocks.has(tagName) ? bordered() : undefined
  }

  /** Of what a cell cannot hold as Markdown, its markup. */
  const elementInCell = (tagName: string) => {
    border()
    addNode({ type: "html", value: `<${tagName}>` })
    hasHeading = true
    return () => {
      addNode({ type: "html", value: `</${tagName}>` })
      border()
    }
  }

  const bordered = () => {
    border()
    return border
  }

  const parted = () => {
    runs().push({ kind: "text", value: " ", marks })
    return () => void runs().push({ kind: "text", value: " ", marks })
  }

  const beginBlock = (element: HtmlElement): (() => void) | "skip" | undefined => {
    const { tagName } = element
    switch (tagName) {
      case "h1":
      case "h2":
      case "h3":
      case "h4":
      case "h5":
      case "h6": {
        border()
        const depth = Number(tagName[1]) as Heading["depth"]
        const end = inLine((read) => {
          const children = phrasingOf(read, "blank")
          if (children.length === 0) return
          hasHeading = true
          addBlock({ type: "heading", depth, children })
        })
        marks = marks.filter(({ kind }) => kind !== "strong")
        return end
      }
      case "blockquote":
        return containers.length > maxNesting
          ? bordered()
          : both(bordered(), within({ type: "blockquote", children: [] }))
      case "ul":
      case "ol":
      case "menu":
      case "dir": {
        if (containers.length > maxNesting) return bordered()
        const ordered = tagName === "ol"
        const list: List = { type: "list", ordered, start: ordered ? 1 : null, spread: false, children: [] }
        if (ordered) numbers.set(list, listNumbers(element))
        return both(bordered(), within(list))
      }
      case "li": {
        border()
        if (containers.length > maxNesting) return border
        const item: ListItem = { type: "listItem", spread: false, checked: checkedOf(element), children: [] }
        const { node } = here()
        if (node.type === "list") {
          const number = numbers.get(node)?.next(element)
          const end = both(border, within(item))
          if (number !== undefined) {
            numberOf.set(item, number)
            // Markdown has no list with such a number, so it becomes text.
            if (!isListNumber(number)) here().runs.push({ kind: "text", value: `${number}. `, marks: [] })
          }
          return end
        }
        const list: List = { type: "list", ordered: false, start: null, spread: false, children: [] }
        loose.add(list)
        return both(border, both(within(list), within(item)))
      }
      case "table":
        return beginTable(element)
      case "caption":
        return bordered()
      case "td":
      case "th":
        // Cells that are there for the layout and have no blocks in them are a line together.
        return isLineNumber(element) ? "skip" : hasBlocks(element) ? bordered() : parted()
    }
    return blocks.has(tagName) ? bordered() : undefined
  }

  const beginTable = (table: HtmlElement): (() => void) | "skip" => {
    border()
    const use = tableUse(table)
    if (use === "layout") return border
    if (use === "code") {
      addBlock(codeBlockOf(table))
      return "skip"
    }
    readTable(table)
    return "skip"
  }

  /** A table of data holds no other, so it is read to its end before anything else is. */
  const readTable = (table: HtmlElement) => {
    const columns = columnAligns(table)
    const rows: Array<{ readonly order: number; readonly cells: Array<ReadCell> }> = []
    for (const element of elementsIn(table)) {
      if (element.tagName === "caption") {
        readInto(element, (read) => {
          const children = phrasingOf(read, "break")
          if (children.length > 0) addBlock({ type: "paragraph", children })
        })
      } else if (element.tagName === "tr") {
        if (!isUnread(element) && !isLeftOut(element)) rows.push({ order: sectionOf(element), cells: [] })
      } else if (element.tagName === "td" || element.tagName === "th") {
        const row = rows.at(-1)
        if (row === undefined || isUnread(element)) continue
        readInto(
          element,
          (read) => row.cells.push({ ...cellFacts(element), children: phrasingOf(read, "markup") }),
          true
        )
      }
    }
    const filled = rows
      .filter(({ cells }) => cells.length > 0)
      .sort((a, b) => a.order - b.order)
      .map(({ cells }) => cells)
    if (filled.some((row) => row.some(({ children }) => children.length > 0))) addBlock(tableOf(filled, columns))
  }

  const readInto = (element: HtmlElement, end: (runs: ReadonlyArray<Run>) => void, isCell = false) => {
    const finish = inLine(end, isCell)
    read(element)
    finish()
  }

  const read = (from: HtmlParent) => {
    const open: Array<HtmlNode | (() => void)> = [...from.childNodes].reverse()
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (typeof next === "function") next()
      else if (defaultTreeAdapter.isTextNode(next)) runs().push({ kind: "text", value: next.value, marks })
      else if (defaultTreeAdapter.isElementNode(next) && !isLeftOut(next)) {
        if (isUnread(next)) {
          const formula = next.tagName === "script" ? formulaOf(next) : undefined
          if (formula !== undefined && formula !== "elsewhere") addFormula(formula)
          addNode(frameOf(next, base))
          continue
        }
        const end = begin(next)
        if (end === "skip") continue
        if (end !== undefined) open.push(end)
        for (let index = next.childNodes.length - 1; index >= 0; index--) open.push(next.childNodes[index]!)
      }
    }
  }

  read(root)
  endParagraph()
  if (title !== undefined && document.children.length > 0 && !hasHeading) {
    document.children.unshift({ type: "heading", depth: 1, children: [{ type: "text", value: title }] })
  }
  return document
}

const hasBlocks = (element: HtmlElement): boolean => {
  for (const { tagName } of elementsIn(element)) if (blocks.has(tagName)) return true
  return false
}

/** Whether nothing in an item needs a blank line before it to be told from what is above. */
const isTight = ({ children }: ListItem): boolean =>
  children.length === 1 ||
  (children.length === 2 &&
    children[0]?.type === "paragraph" &&
    (children[1]?.type === "list" || children[1]?.type === "code"))

/** Whether the box before an item is ticked; null if there is none. */
const checkedOf = (item: HtmlElement): boolean | null => {
  let within: HtmlElement | undefined = item
  for (let depth = 0; depth < 3 && within !== undefined; depth++) {
    const first: HtmlNode | undefined = within.childNodes.find(
      (each) => !defaultTreeAdapter.isTextNode(each) || each.value.trim() !== ""
    )
    if (first === undefined || !defaultTreeAdapter.isElementNode(first)) return null
    if (first.tagName === "input") {
      return attribute(first, "type") === "checkbox" ? attribute(first, "checked") !== undefined : null
    }
    within = first
  }
  return null
}

/** What is above or below the line and short is worth telling from what is on it; links there are references. */
const isShort = (element: HtmlElement): boolean => {
  const text = textOf(element).trim()
  return text !== "" && text.length <= 24 && ![...elementsIn(element)].some(({ tagName }) => tagName === "a")
}

const both = (outer: () => void, inner: () => void) => () => {
  inner()
  outer()
}

/** The parts of a paragraph between two line breaks in a row. */
const partedByBreaks = (runs: ReadonlyArray<Run>): ReadonlyArray<ReadonlyArray<Run>> => {
  const parts: Array<Array<Run>> = [[]]
  let breaks = 0
  for (const run of runs) {
    if (run.kind === "break") breaks++
    else if (run.kind === "node" || run.value.trim() !== "") {
      if (breaks > 1) parts.push([])
      breaks = 0
    }
    parts.at(-1)!.push(run)
  }
  return parts
}
