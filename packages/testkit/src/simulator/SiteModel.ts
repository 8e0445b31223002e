import { makeRng, roll } from "./Rng.ts"

/** A page of a site as a crawl finds it. The seed page has depth 1 and no parent. */
export interface SitePage {
  readonly url: string
  readonly parentUrl: string | null
  readonly depth: number
}

/** What fetching a page gives. */
export interface PageContent {
  readonly markdown: string
  readonly html: string
  readonly links: ReadonlyArray<string>
  readonly httpStatus: number
  readonly durationMs: number
  readonly retryCount: number
}

/** How fetching a page ends: with its content, or with an error code. */
export type PageEnding =
  | { readonly status: "completed" }
  | { readonly status: "failed"; readonly errorCode: string; readonly errorMessage: string }

/** A list that is read in slices and need not exist as a whole. An array is one. */
export interface Rows<A> {
  readonly length: number
  slice(start: number, end: number): ReadonlyArray<A>
}

/** The web as the simulator sees it: pages in breadth-first order, and what any URL holds. The same seed, the same site. */
export interface SiteModel {
  readonly url: string
  readonly pages: Rows<SitePage>
  readonly ending: (url: string) => PageEnding
  readonly content: (url: string) => PageContent
}

/** How a site is made up. */
export interface SiteOptions {
  /** The seed page; the others lie under it. */
  readonly url?: string
  readonly seed?: number
  readonly pages?: number
  /** Pages each page leads to. */
  readonly branching?: number
  /** About how many bytes of Markdown a page has; its HTML is as long again. */
  readonly bodyBytes?: number
  /** The share of pages that cannot be fetched, 0 to 1. */
  readonly failureRate?: number
}

/** A site of any size: pages are made when asked for, so a million of them take no memory. */
export const makeSite = (options: SiteOptions = {}): SiteModel => {
  const { bodyBytes = 200, branching = 10, failureRate = 0, pages: count = 25, seed = 1 } = options
  const root = options.url ?? "https://site.test/"
  const urlAt = (index: number) => (index === 0 ? root : `${root}p/${index}`)
  const parentOf = (index: number) => Math.floor((index - 1) / branching)
  const pageAt = (index: number): SitePage => {
    let depth = 1
    for (let at = index; at > 0; at = parentOf(at)) depth++
    return { url: urlAt(index), parentUrl: index === 0 ? null : urlAt(parentOf(index)), depth }
  }
  const indexOf = (url: string): number | undefined => {
    if (url === root) return 0
    const index = url.startsWith(`${root}p/`) ? Number(url.slice(root.length + 2)) : Number.NaN
    return Number.isInteger(index) && index > 0 && index < count ? index : undefined
  }
  const linksOf = (url: string): ReadonlyArray<string> => {
    const index = indexOf(url)
    if (index === undefined) return []
    const first = index * branching + 1
    return Array.from({ length: Math.max(0, Math.min(branching, count - first)) }, (_, child) => urlAt(first + child))
  }
  return {
    url: root,
    pages: {
      length: count,
      slice: (start, end) =>
        Array.from({ length: Math.max(0, Math.min(end, count) - start) }, (_, offset) => pageAt(start + offset))
    },
    ending: (url) =>
      makeRng(seed, "ending", url)() < failureRate
        ? { status: "failed", errorCode: "FETCH_FAILED", errorMessage: "The page answered with 500" }
        : { status: "completed" },
    content: (url) => {
      const next = makeRng(seed, "content", url)
      const body = filler(`Page ${url}. `, bodyBytes)
      return {
        markdown: `# ${url}\n\n${body}`,
        html: `<h1>${url}</h1><p>${body}</p>`,
        links: linksOf(url),
        httpStatus: 200,
        durationMs: 20 + roll(next, 400),
        retryCount: roll(next, 3)
      }
    }
  }
}

const filler = (text: string, length: number): string =>
  text.repeat(Math.ceil(length / Math.max(1, text.length))).slice(0, length)
