import { type ChildNode, isTag, isText } from "domhandler"
import { parseDocument } from "htmlparser2"
import MarkdownIt from "markdown-it"
import { micromark } from "micromark"
import { gfm, gfmHtml } from "micromark-extension-gfm"
import { parseHtml } from "../../apps/scraper/src/conversion/HtmlDocument.ts"
import { markdownOf } from "../../apps/scraper/src/conversion/Markdown.ts"

// What Markdown says, by parsers from two other houses than ours, in the three dialects that readers have.
const markdownIt = new MarkdownIt({ html: true, linkify: false })

const readers = {
  "markdown-it": (markdown: string) => markdownIt.render(markdown),
  CommonMark: (markdown: string) => micromark(markdown, { allowDangerousHtml: true }),
  GFM: (markdown: string) =>
    micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] })
}
export type Reader = keyof typeof readers

/** The HTML that a reader makes of Markdown. */
export const readBack = (reader: Reader, markdown: string): string => readers[reader](markdown)

/** The Markdown of a piece of a page. */
export const written = (html: string): string => markdownOf(parseHtml(html, "https://site.example/dir/page.html"))

const inline = new Set("a b code del em i kbd s span strong sub sup tt u".split(" "))

/** The text of HTML without styles or scripts: white space is one blank, and blocks and breaks are parted by one. */
export const shownText = (html: string): string => {
  const parts: Array<string> = []
  const open: Array<ChildNode | string> = [...parseDocument(html).children].reverse()
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node === "string") parts.push(node)
    else if (isText(node)) parts.push(node.data)
    else if (isTag(node) && node.name === "img") parts.push(node.attribs.alt ?? "")
    else if (isTag(node) && node.name !== "input") {
      const apart = inline.has(node.name) ? "" : " "
      parts.push(apart)
      open.push(apart)
      for (let index = node.children.length - 1; index >= 0; index--) open.push(node.children[index]!)
    }
  }
  return parts
    .join("")
    .replaceAll("\u200b", "")
    .replace(/[\s\u00a0]+/g, " ")
    .trim()
}
