import type { Source } from "@sluice/core"
import {
  batchHistory,
  crawlHistory,
  type MovingHistory,
  makeRng,
  makeSite,
  movingHistory,
  roll,
  type SimulatorOptions,
  type SiteModel,
  shuffled,
  stale
} from "@sluice/testkit"

/** The kinds of paid work a process can be killed over. */
export const kinds = ["crawl", "batch", "extract"] as const
export type Kind = (typeof kinds)[number]

/** Paid work of a seed, and what has to stand once it is done, worked out from the site alone. */
export interface Work {
  readonly kind: Kind
  readonly seed: number
  readonly source: typeof Source.Encoded
  readonly simulator: SimulatorOptions
  /** Jobs it takes: each is to be paid for once. */
  readonly submissions: number
  /** Batches of which the API refuses some URLs, not all: those have counters apart from the job's own. */
  readonly withRefused?: number
  /** Every page that has to stand, each as often as it was asked for: see {@link pageLine}. */
  readonly pages: ReadonlyArray<string>
  /** Every page that has to be set aside, with the reason; none when absent: see {@link letterLine}. */
  readonly letters?: ReadonlyArray<string>
  readonly tokens: number
}

/** How much work there is, where the default is too little. */
export interface WorkSize {
  /** Pages of a crawl's site. */
  readonly pages?: number
  /** Pages that end from one poll to the next. */
  readonly perPoll?: number
  /** About how many bytes of Markdown a page has. */
  readonly bodyBytes?: number
}

/** A page as the oracle counts it: its URL, its place in the list that was asked for, and how many links it has. */
export const pageLine = (url: string, inputIndex: number | null, links: number): string =>
  `${url} at ${inputIndex} with ${links} links`

/** A page that is set aside as the oracle counts it. */
export const letterLine = (url: string, reason: string): string => `${reason}: ${url}`

/** The work of a kind and a seed: the same ones, the same work. */
export const workOf = (kind: Kind, seed: number, size: WorkSize = {}): Work => {
  const site = makeSite({
    seed,
    pages: size.pages ?? 61 + (seed % 40),
    failureRate: 0.05,
    bodyBytes: size.bodyBytes ?? 200
  })
  switch (kind) {
    case "crawl":
      return crawlOf(seed, site, size)
    case "batch":
      return batchOf(seed, site)
    case "extract":
      return extractOf(seed, site)
  }
}

const endingOf = (site: SiteModel, url: string) => ({
  isCompleted: site.ending(url).status === "completed",
  links: site.content(url).links.length
})

/** Every other site is crawled as it should be; the others move as none should. */
const crawlOf = (seed: number, site: SiteModel, { perPoll = 13, pages: count }: WorkSize): Work => {
  const moves = count === undefined && seed % 2 === 1
  const moving = moves ? unruly(seed, site) : undefined
  const history = moving ?? crawlHistory(site, { perPoll })
  const ended =
    moving?.terminal ??
    new Map(site.pages.slice(0, site.pages.length).map(({ url }) => [url, site.ending(url).status] as const))
  const pages = Array.from(ended, ([url, status]) =>
    pageLine(url, null, status === "completed" ? site.content(url).links.length : 0)
  )
  const tokens = [...ended.values()].filter((status) => status === "completed").length
  return {
    kind: "crawl",
    seed,
    source: { crawl: { url: site.url } },
    simulator: { site, crawl: () => history },
    submissions: 1,
    pages,
    tokens
  }
}

const unruly = (seed: number, site: SiteModel): MovingHistory =>
  movingHistory({
    seed,
    pages: site.pages.length,
    steps: 6,
    pollsPerStep: 1,
    order: "inserted",
    listing: "all",
    end: "completed",
    failedShare: 0.05,
    cancelledShare: 0,
    stuck: 1,
    staleShare: 0.2,
    repeatedShare: 0.1,
    shortShare: 0.1,
    tornShare: 0,
    unrestAfterEnd: 0
  })

const batchSize = 20

/** Some URLs are named twice or three times, in one job or in two; of every third seed the API refuses some. */
const batchOf = (seed: number, site: SiteModel): Work => {
  const next = makeRng(seed, "batch")
  const distinct = Array.from({ length: 44 + (seed % 9) }, (_, index) => `${site.url}p/${index + 1}`)
  const again = Array.from({ length: 12 }, () => distinct[roll(next, distinct.length)]!)
  const urls = shuffled(next, [...distinct, ...again])
  const isInvalidUrl = (url: string) => seed % 3 === 2 && url.endsWith("7")
  const pages: Array<string> = []
  const withRefused = new Set<number>()
  let tokens = 0
  for (const [index, url] of urls.entries()) {
    if (isInvalidUrl(url)) withRefused.add(Math.floor(index / batchSize))
    // A URL that is refused is a page that failed, and costs nothing.
    pages.push(pageLine(url, index % batchSize, 0))
    if (!isInvalidUrl(url) && endingOf(site, url).isCompleted) tokens++
  }
  return {
    kind: "batch",
    seed,
    source: { batch: { urls, batch_size: batchSize } },
    simulator: {
      site,
      isInvalidUrl,
      batch: (request, n) =>
        stale(
          { seed: seed + n, probability: 0.2, back: 2 },
          batchHistory(site, request.urls, { perPoll: 7 }, isInvalidUrl)
        )
    },
    submissions: Math.ceil(urls.length / batchSize),
    withRefused: withRefused.size,
    pages,
    tokens
  }
}

/** Four of the URLs are named twice, wherever in the list, which are jobs of their own. */
const extractOf = (seed: number, site: SiteModel): Work => {
  const next = makeRng(seed, "extract")
  const distinct = Array.from({ length: 24 + (seed % 5) }, (_, index) => `${site.url}p/${index + 1}`)
  const urls = shuffled(next, [...distinct, ...distinct.slice(0, 4)])
  const pages: Array<string> = []
  let tokens = 0
  for (const [index, url] of urls.entries()) {
    const { isCompleted, links } = endingOf(site, url)
    pages.push(pageLine(url, index, isCompleted ? links : 0))
    if (isCompleted) tokens++
  }
  return {
    kind: "extract",
    seed,
    source: { extract: { urls, extract_links: true } },
    simulator: { site, extract: (_, n) => ({ polls: (seed + n) % 3, unknownPolls: n % 2 }) },
    submissions: urls.length,
    pages,
    tokens
  }
}
