import { crawlHistory, makeRng, makeSite, roll, type SentItem, type SiteModel, type SitePage } from "@sluice/testkit"
import { letterLine, pageLine, type Work } from "./Work.ts"

/** What no table takes, and the reason of its dead letter; null where the page lands without the one value. */
const poisons = {
  nul: "nul_byte",
  surrogate: "lone_surrogate",
  range: null,
  types: null,
  oversize: "refused"
} as const
type Poison = keyof typeof poisons
const kinds = Object.keys(poisons) as ReadonlyArray<Poison>

/** An index as an analyst makes it: its entries take some 2,700 bytes, and a URL may be longer. */
export const narrowIndex = "CREATE INDEX narrow ON pages (url)"

/** Steps in which a crawl comes to its end, at most: a large one is read as it goes on, and not for its own sake. */
const mostSteps = 1000

/** How much, and how much of it is poison. */
export interface PoisonedSize {
  readonly pages: number
  readonly poison: number
}

/** A crawl of many pages, some of which no table takes, strewn over it by the seed; and what has to become of each. */
export const poisonedWork = (seed: number, { pages: count, poison }: PoisonedSize): Work => {
  const next = makeRng(seed, "poison")
  const plain = makeSite({ seed, pages: count, failureRate: 0.05, bodyBytes: 120 })
  // One in each stretch of the site; the seed page stays what it is.
  const stretch = (count - 1) / poison
  const places = new Map<number, Poison>()
  for (let nth = 0; nth < poison; nth++) {
    places.set(1 + Math.floor(nth * stretch) + roll(next, Math.floor(stretch)), kinds[nth % kinds.length]!)
  }
  const site = poisoned(plain, places, seed)
  const lines: Array<string> = []
  const letters: Array<string> = []
  let tokens = 0
  for (const [at, { url }] of site.pages.slice(0, count).entries()) {
    const kind = places.get(at)
    const isCompleted = site.ending(url).status === "completed"
    if (isCompleted) tokens++
    const reason = kind === undefined ? null : poisons[kind]
    if (reason === null) lines.push(pageLine(url, null, isCompleted ? site.content(url).links.length : 0))
    else letters.push(letterLine(url, reason))
  }
  const wrong = new Set([...places].filter(([, kind]) => kind === "types").map(([at]) => urlAt(plain, at)))
  return {
    kind: "crawl",
    seed,
    source: { crawl: { url: site.url } },
    simulator: {
      site,
      crawl: () => crawlHistory(site, { perPoll: Math.max(50, Math.ceil(count / mostSteps)) }),
      reshape: (item: SentItem) =>
        wrong.has(`${item.url}`) ? { ...item, metadata: { http_status: "two hundred" } } : item
    },
    submissions: 1,
    pages: lines,
    letters,
    tokens
  }
}

/** The site with poison in it. Pages of the plain site keep their URLs, but for those that are made too long. */
const poisoned = (plain: SiteModel, places: ReadonlyMap<number, Poison>, seed: number): SiteModel => {
  const poisonOf = (url: string) => places.get(Number(/\/p\/(\d+)/.exec(url)?.[1] ?? 0))
  const [shortOf, lengthen] = [(url: string) => url.split("?")[0]!, (url: string) => `${url}?${longText(seed, url)}`]
  const renamed = (page: SitePage): SitePage =>
    poisonOf(page.url) === "oversize" ? { ...page, url: lengthen(page.url) } : page
  return {
    url: plain.url,
    pages: { length: plain.pages.length, slice: (start, end) => plain.pages.slice(start, end).map(renamed) },
    ending: (url) => (poisonOf(url) === undefined ? plain.ending(url) : { status: "completed" }),
    content: (url) => {
      const content = plain.content(shortOf(url))
      switch (poisonOf(url)) {
        case "nul":
          return { ...content, markdown: `${content.markdown}\0` }
        case "surrogate":
          return { ...content, links: [...content.links, "https://site.test/\uD83D"] }
        case "range":
          return { ...content, durationMs: 2 ** 31 }
        default:
          return content
      }
    }
  }
}

const urlAt = (site: SiteModel, at: number): string => site.pages.slice(at, at + 1)[0]!.url

/** Text that does not compress. */
const longText = (seed: number, url: string): string => {
  const next = makeRng(seed, "long", url)
  return Array.from({ length: 6000 }, () => roll(next, 36).toString(36)).join("")
}
