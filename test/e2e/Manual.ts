import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Parser } from "htmlparser2"

/** Where Debian's `postgresql-doc-15` puts the manual. */
export const manualDirectory = "/usr/share/doc/postgresql-doc-15/html"

/** What a crawl has to find on a page. */
export interface ExpectedPage {
  readonly url: string
  readonly depth: number
  readonly status: "completed" | "failed"
  /** Where the page links to, absolute, without fragment, each once, in the order of the document. */
  readonly links: ReadonlyArray<string>
}

/**
 * Walks a directory of HTML as a crawl of the site it is served as has to: breadth first from one page over the links of
 * `<a>` and `<area>` that stay on the site. Shares no code with the scraper, not even the parser.
 */
export const walkSite = (root: string, seed: string): ReadonlyMap<string, ExpectedPage> => {
  const { origin } = new URL(seed)
  const pages = new Map<string, ExpectedPage>()
  let level = [seed]
  for (let depth = 1; level.length > 0; depth++) {
    const next = new Set<string>()
    for (const url of level) {
      const file = join(root, decodeURIComponent(new URL(url).pathname))
      const isPage = file.endsWith(".html") && existsSync(file)
      const links = isPage ? linksIn(readFileSync(file, "utf8"), url) : []
      pages.set(url, { url, depth, status: isPage ? "completed" : "failed", links })
      for (const link of links) if (new URL(link).origin === origin) next.add(link)
    }
    level = [...next].filter((url) => !pages.has(url))
  }
  return pages
}

const linksIn = (html: string, url: string): ReadonlyArray<string> => {
  const links = new Set<string>()
  const parser = new Parser({
    onopentag: (name, { href }) => {
      if ((name !== "a" && name !== "area") || href === undefined) return
      const target = URL.parse(href, url)
      if (target?.protocol !== "http:" && target?.protocol !== "https:") return
      links.add(spelled(target.href.split("#")[0]!))
    }
  })
  parser.end(html)
  return [...links]
}

/** RFC 3986, 6.2.2: escapes in capitals, and none where none is needed. */
const spelled = (url: string): string =>
  url.replaceAll(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return /^[A-Za-z0-9._~-]$/.test(character) ? character : escape.toUpperCase()
  })
