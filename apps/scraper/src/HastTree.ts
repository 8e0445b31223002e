import type { Element, ElementContent, Properties, Root } from "hast"
import { type DefaultTreeAdapterTypes, defaultTreeAdapter } from "parse5"

/**
 * What Markdown needs of a parse5 tree, as hast: no comments, no scripts, few attributes, no inline elements
 * with nothing in them. That is a sixth faster over all than hast-util-from-parse5, which keeps everything, and it takes the edge off
 * pages made to be slow: hast-util-to-mdast needs seconds for some thousand empty inline elements in a row, and writes
 * out spanned cells without a bound. Loops, because pages nest deeper than the stack.
 */
export const hastOf = (document: DefaultTreeAdapterTypes.Document): Root => {
  const root: Root = { type: "root", children: [] }
  const parents: Array<Root | Element> = [root]
  const open: Array<readonly [from: DefaultTreeAdapterTypes.ParentNode, to: Root | Element]> = [[document, root]]
  let spans = maxSpannedCells
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [from, to] = pair
    for (const child of from.childNodes) {
      if (defaultTreeAdapter.isTextNode(child)) {
        to.children.push({ type: "text", value: child.value })
      } else if (defaultTreeAdapter.isElementNode(child) && !unread.has(child.tagName)) {
        const properties = propertiesOf(child)
        spans -= spanOf(properties.colSpan) * spanOf(properties.rowSpan) - 1
        if (spans < 0) {
          delete properties.colSpan
          delete properties.rowSpan
        }
        const element: Element = { type: "element", tagName: child.tagName, properties, children: [] }
        to.children.push(element)
        parents.push(element)
        open.push([child, element])
      }
    }
  }
  // Backwards, an element comes before its parent: emptied parents go as well.
  for (const parent of parents.reverse()) tidy(parent)
  return root
}

/** Elements that Markdown does not show, whatever is in them. */
const unread = new Set(["head", "link", "meta", "script", "style", "svg", "template", "wbr"])

/** Elements that mean something without content: the void ones, cells, and blocks, which part what stands around them. */
const meaningful = new Set(
  (
    "audio br embed hr iframe img input object select td textarea th video " +
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer " +
    "form h1 h2 h3 h4 h5 h6 header hgroup html legend li main menu nav ol p pre section summary table tbody tfoot thead " +
    "tr ul"
  ).split(" ")
)

/** Leaves out inline elements with nothing in them, puts white space in the place of those with nothing else. */
const tidy = (parent: Root | Element): void => {
  const children: Array<ElementContent> = []
  for (const child of parent.children) {
    if (child.type === "element" && !meaningful.has(child.tagName)) {
      const text = child.children.length === 0 ? "" : blankOf(child)
      if (text === undefined) children.push(child)
      else addText(children, text)
    } else if (child.type === "text") addText(children, child.value)
    else if (child.type === "element") children.push(child)
  }
  parent.children = children
}

const blankOf = (element: Element): string | undefined => {
  const only = element.children[0]
  return element.children.length === 1 && only?.type === "text" && !/[^\t\n\f\r ]/.test(only.value)
    ? only.value
    : undefined
}

const addText = (children: Array<ElementContent>, value: string): void => {
  const last = children.at(-1)
  if (value === "") return
  if (last?.type === "text") last.value += value
  else children.push({ type: "text", value })
}

/** The attributes that Markdown needs, under their names in hast. */
const kept: Readonly<Record<string, string>> = {
  align: "align",
  alt: "alt",
  checked: "checked",
  class: "className",
  colspan: "colSpan",
  href: "href",
  rowspan: "rowSpan",
  src: "src",
  start: "start",
  title: "title",
  type: "type",
  value: "value"
}

/** A page that spans more cells than this is up to no good, and loses its spans. */
const maxSpannedCells = 20_000

const spanOf = (span: Properties[string]): number => (typeof span === "number" ? span : 1)

const propertiesOf = (element: DefaultTreeAdapterTypes.Element): Properties => {
  const properties: Properties = {}
  for (const { name, value } of element.attrs) {
    const key = kept[name]
    if (key !== undefined) properties[key] = valueOf(key, value)
  }
  return properties
}

const valueOf = (key: string, value: string): NonNullable<Properties[string]> => {
  switch (key) {
    case "checked":
      return true
    case "className":
      return value.split(/\s+/)
    case "colSpan":
    case "rowSpan":
      return Math.max(1, Number.parseInt(value, 10) || 1)
    default:
      return value
  }
}
