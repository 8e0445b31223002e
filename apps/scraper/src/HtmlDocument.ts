import { Option } from "effect"
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from "parse5"
import { normaliseUrl } from "./UrlNormal.ts"

type Document = DefaultTreeAdapterTypes.Document
type Element = DefaultTreeAdapterTypes.Element
type ParentNode = DefaultTreeAdapterTypes.ParentNode

/** A parsed page. `base` is what relative links are resolved against: the first `<base href>`, else the page itself. */
export interface HtmlDocument {
  readonly tree: Document
  readonly base: string
}

/**
 * Parses as a browser without scripts does, so the content of `<noscript>` counts; of a page whose scripts have run, it is
 * left out.
 */
export const parseHtml = (html: string, url: string, scriptsHaveRun = false): HtmlDocument => {
  const tree = parse(html, { scriptingEnabled: scriptsHaveRun })
  if (scriptsHaveRun) for (const element of elements(tree)) if (element.tagName === "noscript") element.childNodes = []
  return { tree, base: baseOf(tree, url) }
}

/**
 * The links of a page: where every `<a href>` and `<area href>` leads, absolute and normalised (so without fragment),
 * in document order, each once. Other schemes than http(s) are left out.
 */
export const linksOf = (document: HtmlDocument): ReadonlyArray<string> => {
  const links = new Set<string>()
  for (const element of elements(document.tree)) {
    if (element.tagName !== "a" && element.tagName !== "area") continue
    const link = Option.flatMap(Option.fromUndefinedOr(hrefOf(element)), (href) => normaliseUrl(href, document.base))
    if (Option.isSome(link)) links.add(link.value)
  }
  return [...links]
}

/** The URL that a page names as its canonical one, absolute and normalised; the first counts. */
export const canonicalOf = (document: HtmlDocument): Option.Option<string> => {
  for (const element of elements(document.tree)) {
    if (element.tagName === "body") break
    const rel = element.tagName === "link" ? element.attrs.find(({ name }) => name === "rel")?.value : undefined
    const href = rel?.toLowerCase().split(/\s+/).includes("canonical") === true ? hrefOf(element) : undefined
    if (href !== undefined && href !== "") return normaliseUrl(href, document.base)
  }
  return Option.none()
}

const baseOf = (tree: Document, url: string): string => {
  for (const element of elements(tree)) {
    if (element.tagName === "body") break
    const href = element.tagName === "base" ? hrefOf(element) : undefined
    if (href !== undefined) return URL.parse(href, url)?.href ?? url
  }
  return url
}

const hrefOf = (element: Element): string | undefined =>
  element.attrs.find((attribute) => attribute.name === "href")?.value.trim()

/** Every element in document order; a loop, because pages nest deeper than the stack. */
function* elements(tree: Document): Generator<Element> {
  const stack: Array<ParentNode> = [tree]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (defaultTreeAdapter.isElementNode(node)) yield node
    for (let index = node.childNodes.length - 1; index >= 0; index--) {
      const child = node.childNodes[index]
      if (child !== undefined && defaultTreeAdapter.isElementNode(child)) stack.push(child)
    }
  }
}
