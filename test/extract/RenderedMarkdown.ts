import { type ChildNode, type Element, isTag, isText, type ParentNode } from "domhandler"
import { parseDocument } from "htmlparser2"
import MarkdownIt from "markdown-it"
import type { Expectation } from "./Expectation.ts"

/** What Markdown says once it is rendered, in the shape of what is expected of it. */
export type Rendered = Omit<Expectation, "hidden" | "text"> & { readonly text: string }

// A parser from another house than the writer under test. Markup in Markdown counts as what a browser would make of it.
const markdownIt = new MarkdownIt({ html: true, linkify: false })

/** Renders Markdown and reads what it says. Links and images are resolved against `base`, for those who leave that to others. */
export const renderMarkdown = (markdown: string, base: string): Rendered => {
  // A box is no text, and tasks are beyond this parser.
  const html = markdownIt.render(markdown).replace(/(<li>\s*(?:<p>)?)\[[ xX]\] /g, "$1")
  const root = parseDocument(html)
  // Code whose parts lead elsewhere is one piece of code.
  const joined = parseDocument(html.replace(/<\/code>((?:<\/?a\b[^>]*>)*)<code>/g, "$1"))
  const elements = descendants(root)
  const named = (...names: ReadonlyArray<string>) => elements.filter(({ name }) => names.includes(name))
  return {
    text: words(textOf(root)),
    headings: named("h1", "h2", "h3", "h4", "h5", "h6").map((each) => ({
      level: Number(each.name[1]),
      text: words(textOf(each))
    })),
    links: named("a")
      .filter(({ attribs }) => attribs.href !== undefined)
      .map((each) => ({
        text: words(textOf(each)) || words(imagesIn(each)),
        url: resolve(each.attribs.href ?? "", base)
      })),
    images: named("img").map(({ attribs }) => ({
      alt: words(attribs.alt ?? ""),
      url: resolve(attribs.src ?? "", base)
    })),
    tables: named("table").map((table) => ({ rows: rowsOf(table) })),
    code: named("pre").map((pre) => {
      const inner = pre.children.find((child): child is Element => isTag(child) && child.name === "code")
      const language = /language-(\S+)/.exec(inner?.attribs.class ?? "")?.[1] ?? null
      return { text: rawText(pre).replace(/^\n|\s+$/g, ""), language }
    }),
    inlineCode: descendants(joined)
      .filter((each) => each.name === "code" && !hasParent(each, "pre"))
      .map((each) => ({ text: words(textOf(each)) })),
    items: named("li")
      .map((item) => ({
        depth: depthOf(item),
        ordered: item.parent !== null && isTag(item.parent as ChildNode) && (item.parent as Element).name === "ol",
        text: words(textOf(item, ["ul", "ol", "pre", "table"]))
      }))
      .filter(({ text }) => text !== "")
  }
}

/** White space as one blank, without invisible characters. */
const words = (text: string): string =>
  text
    .replace(/[\u200b\u00ad]/g, "")
    .replace(/[\s\u00a0]+/g, " ")
    .trim()

const resolve = (reference: string, base: string): string => URL.parse(reference, base)?.href ?? reference

const inline = new Set(
  "a abbr b bdi bdo cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup time tt u var".split(
    " "
  )
)
const unseen = new Set(["script", "style", "template", "head"])

const descendants = (root: ParentNode): ReadonlyArray<Element> => {
  const found: Array<Element> = []
  const open: Array<ChildNode> = [...root.children].reverse()
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (!isTag(node)) continue
    found.push(node)
    for (let index = node.children.length - 1; index >= 0; index--) open.push(node.children[index]!)
  }
  return found
}

/** Blocks are parted by a blank. A loop, because some write Markdown that nests deeper than the stack. */
const textOf = (root: ParentNode, without: ReadonlyArray<string> = []): string => {
  const parts: Array<string> = []
  const open: Array<ChildNode | string> = [...root.children].reverse()
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node === "string") parts.push(node)
    else if (isText(node)) parts.push(node.data)
    else if (isTag(node) && !unseen.has(node.name) && !without.includes(node.name)) {
      const apart = inline.has(node.name) || node.name === "img" ? "" : " "
      parts.push(apart)
      open.push(apart)
      for (let index = node.children.length - 1; index >= 0; index--) open.push(node.children[index]!)
    }
  }
  return parts.join("")
}

const rawText = (root: ParentNode): string =>
  root.children
    .map((child) => (isText(child) ? child.data : isTag(child) ? (child.name === "br" ? "\n" : rawText(child)) : ""))
    .join("")

const imagesIn = (root: ParentNode): string =>
  descendants(root)
    .filter(({ name }) => name === "img")
    .map(({ attribs }) => attribs.alt ?? "")
    .join(" ")

const parents = (element: Element): ReadonlyArray<Element> => {
  const found: Array<Element> = []
  for (let up = element.parent; up !== null && isTag(up as ChildNode); up = up.parent) found.push(up as Element)
  return found
}

const hasParent = (element: Element, name: string) => parents(element).some((each) => each.name === name)
const depthOf = (item: Element) => parents(item).filter(({ name }) => name === "ul" || name === "ol").length

const rowsOf = (table: Element): ReadonlyArray<ReadonlyArray<string>> => {
  const rows = descendants(table)
    .filter(({ name }) => name === "tr")
    .map((row) =>
      row.children
        .filter((cell): cell is Element => isTag(cell) && (cell.name === "td" || cell.name === "th"))
        .map((cell) => words(textOf(cell)))
    )
  // Who has no header writes an empty one.
  return rows[0]?.every((cell) => cell === "") === true ? rows.slice(1) : rows
}
