import type { Image, Link, Text } from "mdast"
import { attribute, type HtmlElement } from "./Elements.ts"
import { imageSource } from "./imageSource.ts"
import type { Mark } from "./Phrasing.ts"
import { isPermalink } from "./permalink.ts"

/** Schemes a reader of the Markdown could follow. */
const keptSchemes = new Set(["http:", "https:", "mailto:", "tel:", "ftp:"])

const absolute = (reference: string | undefined, base: string): string | undefined => {
  const url = reference === undefined ? null : URL.parse(reference.trim(), base)
  return url !== null && keptSchemes.has(url.protocol) ? url.href : undefined
}

const titleOf = (element: HtmlElement): string | null =>
  attribute(element, "title")?.replace(/\s+/g, " ").trim() || null

/** Where an `<a>` leads, `leave` if it leads to where it is and says nothing, or undefined if it leads nowhere. */
export const linkOf = (element: HtmlElement, base: string): Extract<Mark, { kind: "link" }> | "leave" | undefined => {
  const href = attribute(element, "href")
  if (isPermalink(element)) return "leave"
  const url = absolute(href, base)
  return url === undefined ? undefined : { kind: "link", url, title: titleOf(element) }
}

/** An image, under the address that scripts would have given it; a picture within the page is told by its alternative text. */
export const imageOf = (element: HtmlElement, base: string): Image | Text | undefined => {
  if (attribute(element, "width") === "1" && attribute(element, "height") === "1") return undefined
  const url = absolute(imageSource(element), base)
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
