import { Option } from "effect"
import { type DefaultTreeAdapterTypes, html, parse } from "parse5"
import { normalizeUrl } from "../net/normalizeUrl.ts"
import { composeShadows } from "./composeShadows.ts"
import { attribute, elementsIn, type HtmlElement } from "./Elements.ts"
import { xhtmlTree } from "./xhtmlTree.ts"

type Document = DefaultTreeAdapterTypes.Document

/** A parsed page. `base` is what relative links are resolved against: the first `<base href>`, else the page itself. */
export interface HtmlDocument {
  readonly tree: Document
  readonly base: string
  /** The encoding in which the queries of its links are written. */
  readonly encoding: string
}

/**
 * Parses as a browser without scripts does, so the content of `<noscript>` counts. Of a page whose scripts have run it is
 * skipped.
 */
export const parseHtml = (text: string, url: string, scriptsHaveRun = false, encoding = "utf-8"): HtmlDocument => {
  const tree = parse(text, { scriptingEnabled: scriptsHaveRun })
  return documentOf(tree, url, scriptsHaveRun, encoding)
}

/**
 * Parses XHTML as XML, as browsers do with what is sent as such. None if it is not well-formed, or no XHTML: then HTML is the better
 * reading.
 */
export const parseXhtml = (
  text: string,
  url: string,
  scriptsHaveRun = false,
  encoding = "utf-8"
): Option.Option<HtmlDocument> => Option.map(xhtmlTree(text), (tree) => documentOf(tree, url, scriptsHaveRun, encoding))

const documentOf = (tree: Document, url: string, scriptsHaveRun: boolean, encoding: string): HtmlDocument => {
  if (scriptsHaveRun)
    for (const element of elementsIn(tree)) if (element.tagName === "noscript") element.childNodes = []
  composeShadows(tree)
  // A browser that has run the scripts has told the base as well.
  return { tree, base: scriptsHaveRun ? url : baseOf(tree, url), encoding }
}

/**
 * The links of a page: where every `<a href>` and `<area href>` leads and what every frame shows, absolute and normalized (so
 * without fragment), in document order, each once. Other schemes than http(s) are skipped.
 */
export const linksOf = (document: HtmlDocument): ReadonlyArray<string> => {
  const links = new Set<string>()
  collectLinks(document, links, maxFrameDepth)
  return [...links]
}

/** Documents that stand inside of each other, in `srcdoc`. */
const maxFrameDepth = 3
const linking: ReadonlyMap<string, string> = new Map([
  ["a", "href"],
  ["area", "href"],
  ["frame", "src"],
  ["iframe", "src"]
])

const collectLinks = ({ base, encoding, tree }: HtmlDocument, links: Set<string>, depth: number): void => {
  for (const element of elementsIn(tree)) {
    const name = linking.get(element.tagName)
    if (name === undefined) continue
    const inside = element.tagName === "iframe" ? attribute(element, "srcdoc") : undefined
    if (inside !== undefined) {
      if (depth > 0) collectLinks(parseHtml(inside, base, false, encoding), links, depth - 1)
      continue
    }
    const href = attribute(element, name)
    // A frame without an address shows nothing, and is not the page itself.
    if (href === undefined || (name === "src" && href.trim() === "")) continue
    const link = normalizeUrl(href, base, encoding)
    if (Option.isSome(link)) links.add(link.value)
  }
}

/** The URL that a page names as its canonical one, absolute and normalised; the first counts, wherever it is. */
export const canonicalOf = (document: HtmlDocument): Option.Option<string> => {
  for (const element of elementsIn(document.tree)) {
    if (element.tagName !== "link" || !isHtml(element)) continue
    const href = attribute(element, "href")
    const isCanonical =
      attribute(element, "rel")
        ?.toLowerCase()
        .split(/[\t\n\f\r ]+/)
        .includes("canonical") === true
    if (isCanonical && href !== undefined && href.trim() !== "") {
      return normalizeUrl(href, document.base, document.encoding)
    }
  }
  return Option.none()
}

/** The first `<base href>` counts, wherever it is; one that is no http(s) URL leaves the page itself. */
const baseOf = (tree: Document, url: string): string => {
  for (const element of elementsIn(tree)) {
    const href = element.tagName === "base" && isHtml(element) ? attribute(element, "href") : undefined
    if (href === undefined) continue
    const base = URL.parse(href, url)
    return base !== null && /^https?:$/.test(base.protocol) ? base.href : url
  }
  return url
}

const isHtml = ({ namespaceURI }: HtmlElement): boolean => namespaceURI === html.NS.HTML
