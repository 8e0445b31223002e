import { Option } from "effect"
import { type DefaultTreeAdapterTypes, parse } from "parse5"
import { normalizeUrl } from "../net/normalizeUrl.ts"
import { composeShadows } from "./composeShadows.ts"
import { attribute, elementsIn, type HtmlElement } from "./Elements.ts"

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
export const parseHtml = (html: string, url: string, scriptsHaveRun = false, encoding = "utf-8"): HtmlDocument => {
  const tree = parse(html, { scriptingEnabled: scriptsHaveRun })
  if (scriptsHaveRun)
    for (const element of elementsIn(tree)) if (element.tagName === "noscript") element.childNodes = []
  composeShadows(tree)
  return { tree, base: baseOf(tree, url), encoding }
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
    const href = attribute(element, name)?.trim()
    // A frame without an address shows nothing, and is not the page itself.
    if (href === undefined || (name === "src" && href === "")) continue
    const link = normalizeUrl(href, base, encoding)
    if (Option.isSome(link)) links.add(link.value)
  }
}

/** The URL that a page names as its canonical one, absolute and normalised; the first counts. */
export const canonicalOf = (document: HtmlDocument): Option.Option<string> => {
  for (const element of elementsIn(document.tree)) {
    if (element.tagName === "body") break
    const rel = element.tagName === "link" ? attribute(element, "rel") : undefined
    const href = rel?.toLowerCase().split(/\s+/).includes("canonical") === true ? hrefOf(element) : undefined
    if (href !== undefined && href !== "") return normalizeUrl(href, document.base, document.encoding)
  }
  return Option.none()
}

const baseOf = (tree: Document, url: string): string => {
  for (const element of elementsIn(tree)) {
    if (element.tagName === "body") break
    const href = element.tagName === "base" ? hrefOf(element) : undefined
    if (href !== undefined) return URL.parse(href, url)?.href ?? url
  }
  return url
}

const hrefOf = (element: HtmlElement): string | undefined => attribute(element, "href")?.trim()
