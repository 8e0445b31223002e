import type { Html, Image, Link, Text } from "mdast"
import { defaultTreeAdapter } from "parse5"
import { attribute, classesOf, elementsIn, type HtmlElement, type HtmlParent, parentOf } from "./Elements.ts"
import type { Mark } from "./Phrasing.ts"

/** Schemes a reader of the Markdown could follow. */
const keptSchemes = new Set(["http:", "https:", "mailto:", "tel:", "ftp:"])

const absolute = (reference: string | undefined, base: string): string | undefined => {
  const url = reference === undefined ? null : URL.parse(reference.trim(), base)
  return url !== null && keptSchemes.has(url.protocol) ? url.href : undefined
}

const titleOf = (element: HtmlElement): string | null =>
  attribute(element, "title")?.replace(/\s+/g, " ").trim() || null

/** Signs beside a heading that lead to the heading itself. */
const permalinkClasses = new Set("anchor anchorjs-link hash-link header-anchor headerlink permalink".split(" "))
const permalinkTexts = new Set(["", "#", "¶", "§", "◆", "🔗"])

/** Where an `<a>` leads, `leave` if nothing of it is to be shown, or undefined if it leads nowhere. */
export const linkOf = (element: HtmlElement, base: string): Extract<Mark, { kind: "link" }> | "leave" | undefined => {
  const href = attribute(element, "href")
  const classes = [...classesOf(element), ...(parentOf(element) === undefined ? [] : classesOf(parentOf(element)!))]
  if (href?.startsWith("#") === true && classes.some((each) => permalinkClasses.has(each))) {
    if (permalinkTexts.has(textOf(element).replace(/[\s\u200b]+/g, ""))) return "leave"
  }
  const url = absolute(href, base)
  return url === undefined ? undefined : { kind: "link", url, title: titleOf(element) }
}

/** An image, under the address that scripts would have given it; a picture within the page is told by its alternative text. */
export const imageOf = (element: HtmlElement, base: string): Image | Text | undefined => {
  if (attribute(element, "width") === "1" && attribute(element, "height") === "1") return undefined
  const src = attribute(element, "src")
  const isStandIn = src === undefined || src.trim() === "" || src.startsWith("data:")
  const later =
    attribute(element, "data-src") ?? attribute(element, "data-lazy-src") ?? attribute(element, "data-original")
  const first = attribute(element, "srcset")
    ?.trim()
    .split(/[\s,]+/)[0]
  const url = absolute(isStandIn ? (later ?? first ?? src) : src, base)
  const alt = (attribute(element, "alt") ?? "").replace(/\s+/g, " ").trim()
  if (url !== undefined) return { type: "image", url, alt, title: titleOf(element) }
  return alt === "" ? undefined : { type: "text", value: alt }
}

/** A frame becomes its title. A frame without one is skipped: most of them are advertising. */
export const frameOf = (element: HtmlElement, base: string): Link | undefined => {
  const title = element.tagName === "iframe" ? titleOf(element) : null
  const url = title === null ? undefined : absolute(attribute(element, "src"), base)
  return title === null || url === undefined
    ? undefined
    : { type: "link", url, title: null, children: [{ type: "text", value: title }] }
}

/** A formula as GitHub's Markdown has it: TeX between dollar signs if the page brings it along, else its symbols. */
export const mathOf = (element: HtmlElement): Html | undefined => {
  const annotation = [...elementsIn(element)].find(
    (each) => each.tagName === "annotation" && /tex/i.test(attribute(each, "encoding") ?? "")
  )
  const formula = textOf(annotation ?? element)
    .replace(/\s+/g, " ")
    .trim()
  if (formula === "") return undefined
  const sign = attribute(element, "display") === "block" ? "$$" : "$"
  return { type: "html", value: `${sign}${formula}${sign}` }
}

/** All text within. */
export const textOf = (root: HtmlParent): string => {
  const text: Array<string> = []
  const open = [...root.childNodes].reverse()
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (defaultTreeAdapter.isTextNode(node)) text.push(node.value)
    else if (defaultTreeAdapter.isElementNode(node)) {
      for (let index = node.childNodes.length - 1; index >= 0; index--) open.push(node.childNodes[index]!)
    }
  }
  return text.join("")
}
