import type { Element } from "hast"
import { type Handle, type State, toMdast } from "hast-util-to-mdast"
import type { Image, Link, PhrasingContent, Text } from "mdast"
import { gfmToMarkdown } from "mdast-util-gfm"
import { toMarkdown } from "mdast-util-to-markdown"
import { hastOf } from "./HastTree.ts"
import type { HtmlDocument } from "./HtmlDocument.ts"

/**
 * A page as GitHub-flavoured Markdown, its links and images absolute. Throws on a document nested deeper than the stack.
 *
 * hast and mdast were chosen over node-html-markdown and turndown. All three need about as long for the 1,169 pages of
 * the PostgreSQL manual (15 s, 12 s and 13 s on one core, before `HastTree` took a sixth off the first), but the others
 * need seconds for a single large page (4.8 s and 4.4 s against 0.5 s), and they would parse once more than the links do.
 */
export const markdownOf = (document: HtmlDocument): string => {
  const tree = toMdast(hastOf(document.tree), {
    document: true,
    handlers: { a: anchor(document.base), img: image(document.base) }
  })
  return toMarkdown(tree, { bullet: "-", rule: "-", extensions: [gfmToMarkdown({ tablePipeAlign: false })] })
}

/** Schemes a reader of the Markdown could follow. */
const keptSchemes = new Set(["http:", "https:", "mailto:", "tel:", "ftp:"])

const absolute = (reference: unknown, base: string): string | undefined => {
  if (typeof reference !== "string") return undefined
  const url = URL.parse(reference.trim(), base)
  return url !== null && keptSchemes.has(url.protocol) ? url.href : undefined
}

const phrasing = (state: State, node: Element) => state.all(node) as Array<PhrasingContent>

const anchor =
  (base: string): Handle =>
  (state, node: Element) => {
    const url = absolute(node.properties.href, base)
    const children = phrasing(state, node)
    if (url === undefined || children.length === 0) return children
    const link: Link = { type: "link", url, title: title(node), children }
    return link
  }

const image =
  (base: string): Handle =>
  (_, node: Element) => {
    const url = absolute(node.properties.src, base)
    const alt = typeof node.properties.alt === "string" ? node.properties.alt : ""
    const shown: Image | Text | undefined =
      url !== undefined
        ? { type: "image", url, alt, title: title(node) }
        : alt !== ""
          ? { type: "text", value: alt }
          : undefined
    return shown
  }

const title = (node: Element): string | null =>
  typeof node.properties.title === "string" ? node.properties.title.replace(/\s+/g, " ") : null
