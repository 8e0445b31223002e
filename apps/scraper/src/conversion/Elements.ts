import { type DefaultTreeAdapterTypes, defaultTreeAdapter } from "parse5"

export type HtmlNode = DefaultTreeAdapterTypes.ChildNode
export type HtmlElement = DefaultTreeAdapterTypes.Element
export type HtmlParent = DefaultTreeAdapterTypes.ParentNode

/** The value of an attribute, or undefined. */
export const attribute = (element: HtmlElement, name: string): string | undefined => {
  for (const each of element.attrs) if (each.name === name) return each.value
  return undefined
}

/** The classes of an element. */
export const classesOf = (element: HtmlElement): ReadonlyArray<string> =>
  attribute(element, "class")?.split(/\s+/) ?? []

/** The element that a node is in, if it is in one. */
export const parentOf = (element: HtmlElement): HtmlElement | undefined => {
  const parent = element.parentNode
  return parent !== null && defaultTreeAdapter.isElementNode(parent) ? parent : undefined
}

/** Every element below a node in document order; a loop, because pages nest deeper than the stack. */
export function* elementsIn(root: HtmlParent): Generator<HtmlElement> {
  const open: Array<HtmlParent> = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node !== root) yield node as HtmlElement
    for (let index = node.childNodes.length - 1; index >= 0; index--) {
      const child = node.childNodes[index]
      if (child !== undefined && defaultTreeAdapter.isElementNode(child)) open.push(child)
    }
  }
}

/** What a page shows no text of: what is not content, what stands for something else, and what people type into. */
const unread = new Set(
  (
    "audio base canvas datalist head iframe input link meta meter noembed noframes object optgroup option param progress script " +
    "select source style svg template textarea title track video wbr"
  ).split(" ")
)

const invisible = /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)/i

/** What is shown and is no text: the tools of an editor beside a heading, and formulas that are there a second time. */
const tools = new Set(["katex-html", "mw-editsection"])

/** Whether a page shows nothing of an element, as far as that can be told without its style sheets. */
export const isUnread = (element: HtmlElement): boolean => {
  if (unread.has(element.tagName)) return true
  for (const { name, value } of element.attrs) {
    if (name === "hidden" && value.toLowerCase() !== "until-found") return true
    if (name === "style" && invisible.test(value)) return true
    if (name === "class" && tools.has(value)) return true
  }
  return element.tagName === "dialog" && attribute(element, "open") === undefined
}

/** Elements that separate the text before them from the text after. */
export const blocks: ReadonlySet<string> = new Set(
  (
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer form " +
    "h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol p plaintext pre search section summary table " +
    "tbody td tfoot th thead tr ul xmp"
  ).split(" ")
)
