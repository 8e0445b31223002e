import type { DefaultTreeAdapterTypes } from "parse5"
import { attribute, elementsIn, type HtmlElement } from "./Elements.ts"

type ChildNode = DefaultTreeAdapterTypes.ChildNode
type Template = DefaultTreeAdapterTypes.Template

/** Elements, besides those with names of their own, that can have a shadow root. */
const hosts = new Set(
  "article aside blockquote body div footer h1 h2 h3 h4 h5 h6 header main nav p section span".split(" ")
)
const hasOwnName =
  /^(?!(?:annotation-xml|color-profile|font-face(?:-src|-uri|-format|-name)?|missing-glyph)$)[a-z][^A-Z\s/>]*-/

/**
 * Puts the shadow roots that a page declares in the place of their hosts' children, and these into its slots, as they are
 * shown. What has no slot is not shown.
 */
export const composeShadows = (tree: DefaultTreeAdapterTypes.Document): void => {
  // What is put into a place is walked over in its turn, so a host within a shadow root is found as well.
  for (const host of elementsIn(tree)) {
    if (!hosts.has(host.tagName) && !hasOwnName.test(host.tagName)) continue
    const shadow = host.childNodes.find(isShadowRoot)
    if (shadow !== undefined) compose(host, shadow)
  }
}

const isShadowRoot = (node: ChildNode): node is Template =>
  node.nodeName === "template" &&
  "content" in node &&
  /^(?:open|closed)$/i.test(attribute(node, "shadowrootmode") ?? "")

const compose = (host: HtmlElement, shadow: Template): void => {
  const light = host.childNodes.filter((node) => node !== shadow)
  const slots = [...elementsIn(shadow.content)].filter(({ tagName }) => tagName === "slot")
  const filled = new Set<string>()
  for (const slot of slots) {
    const name = attribute(slot, "name") ?? ""
    // The first slot of a name gets all of it.
    const assigned = filled.has(name) ? [] : light.filter((node) => slotOf(node) === name)
    filled.add(name)
    if (assigned.length === 0) continue
    slot.childNodes = assigned
    for (const node of assigned) node.parentNode = slot
  }
  host.childNodes = shadow.content.childNodes
  for (const node of host.childNodes) node.parentNode = host
}

/** The slot that a child of a host asks for; none for what can be in none. */
const slotOf = (node: ChildNode): string | undefined => {
  if (node.nodeName === "#text") return ""
  return "attrs" in node ? (attribute(node, "slot") ?? "") : undefined
}
