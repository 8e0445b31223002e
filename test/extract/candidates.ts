import { createRequire } from "node:module"
import kreuzbergModule from "@kreuzberg/html-to-markdown-node"
import { Readability } from "@mozilla/readability"
import { gfm } from "@truto/turndown-plugin-gfm"
import { Defuddle } from "defuddle/node"
import { convertHtmlToMarkdown } from "dom-to-semantic-markdown"
import { parseHTML } from "linkedom"
import { htmlToMarkdown as mdream } from "mdream"
import { NodeHtmlMarkdown } from "node-html-markdown"
import rehypeParse from "rehype-parse"
import rehypeRemark from "rehype-remark"
import remarkGfm from "remark-gfm"
import remarkStringify from "remark-stringify"
import TurndownService from "turndown"
import { unified } from "unified"
import { parseHtml } from "../../apps/scraper/src/conversion/HtmlDocument.ts"
import { markdownOf } from "../../apps/scraper/src/conversion/Markdown.ts"
import type { Extent } from "./Expectation.ts"

/** A way from HTML to Markdown, as one would set it up who wants to keep what a page says. */
export interface Candidate {
  readonly name: string
  readonly extent: Extent
  readonly convert: (html: string, url: string) => string | Promise<string>
}

const turndown = () => {
  const service = new TurndownService({ headingStyle: "atx", codeBlockStyle: "fenced", bulletListMarker: "-" })
  service.use(gfm)
  service.remove(["script", "style", "template"] as never)
  return service
}

const documentOf = (html: string, url: string) => {
  const { document } = parseHTML(html)
  if (document.querySelector("base") === null) {
    const base = document.createElement("base")
    base.setAttribute("href", url)
    document.head?.appendChild(base)
  }
  return document as never
}

const { convert: kreuzberg } = kreuzbergModule

// Without types that an import could use.
const require = createRequire(import.meta.url)
const htmlToMd: (html: string) => string = require("html-to-md")
const domino: { readonly createDocument: (html: string) => { readonly body: unknown } } = require("@mixmark-io/domino")

const rehype = unified().use(rehypeParse).use(rehypeRemark).use(remarkGfm).use(remarkStringify)

const semantic = (html: string, url: string, main: boolean) => {
  const { window } = parseHTML("<html></html>")
  return convertHtmlToMarkdown(html, {
    websiteDomain: new URL(url).origin,
    extractMainContent: main,
    overrideDOMParser: new (window as unknown as { DOMParser: new () => never }).DOMParser()
  })
}

export const candidates: ReadonlyArray<Candidate> = [
  { name: "sluice", extent: "page", convert: (html, url) => markdownOf(parseHtml(html, url)) },
  {
    name: "turndown + gfm, domino",
    extent: "page",
    convert: (html) => turndown().turndown(domino.createDocument(html).body as never)
  },
  { name: "node-html-markdown", extent: "page", convert: (html) => NodeHtmlMarkdown.translate(html) },
  { name: "rehype-remark", extent: "page", convert: (html) => String(rehype.processSync(html)) },
  { name: "html-to-md", extent: "page", convert: (html) => htmlToMd(html) },
  { name: "dom-to-semantic-markdown", extent: "page", convert: (html, url) => semantic(html, url, false) },
  {
    name: "kreuzberg (Rust)",
    extent: "page",
    convert: (html) => kreuzberg(html, { extractMetadata: false, preprocessing: { enabled: false } }).content ?? ""
  },
  { name: "mdream", extent: "page", convert: (html, url) => mdream(html, { origin: new URL(url).origin }) },
  { name: "sluice", extent: "main", convert: (html, url) => markdownOf(parseHtml(html, url), "main") },
  {
    name: "readability + turndown",
    extent: "main",
    convert: (html, url) => turndown().turndown(new Readability(documentOf(html, url)).parse()?.content ?? "")
  },
  {
    name: "defuddle",
    extent: "main",
    convert: async (html, url) =>
      (await Defuddle(documentOf(html, url), url, { markdown: true, useAsync: false })).content
  },
  { name: "dom-to-semantic-markdown", extent: "main", convert: (html, url) => semantic(html, url, true) },
  {
    name: "mdream, minimal",
    extent: "main",
    convert: (html, url) => mdream(html, { origin: new URL(url).origin, minimal: true, frontmatter: false })
  },
  {
    name: "kreuzberg, preprocessing",
    extent: "main",
    convert: (html) =>
      kreuzberg(html, {
        extractMetadata: false,
        preprocessing: { enabled: true, preset: "Aggressive" as never, removeNavigation: true, removeForms: true }
      }).content ?? ""
  }
]
