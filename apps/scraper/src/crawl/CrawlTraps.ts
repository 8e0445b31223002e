import type { PageState } from "../crawler/PageState.ts"
import type { Settings } from "../ScraperConfig.ts"
import { pageKey } from "./pageKey.ts"
import { textHash } from "./textHash.ts"

/** Why a link is not followed: a rule against sites without an end. */
export type TrapRule = "calendar" | "echo" | "hosts" | "long-url" | "query" | "repeated-path" | "same-page"

/** The bounds; {@link Settings} says what each means. */
export type TrapLimits = Pick<
  Settings,
  "maxCalendarPages" | "maxCrawlHosts" | "maxCrawlUrlLength" | "maxEchoes" | "maxFacets" | "maxQueryVariants"
>

/**
 * What keeps a crawl from sites that never end. Every rule is about many pages that look alike, never about what one page
 * looks like, but for paths that repeat themselves and URLs that are too long; so each allows the number that an
 * honest site can have. Skipped links are never found at all, and are counted by rule.
 */
export class CrawlTraps {
  private readonly limits: TrapLimits
  private readonly keys = new Set<string>()
  private readonly hosts = new Set<string>()
  /** How many pages of a shape were allowed. */
  private readonly shapes = new Map<string, number>()
  private readonly texts = new Map<string, number>()
  private hasLearned = false

  constructor(limits: TrapLimits) {
    this.limits = limits
  }

  /** Takes in the pages of a crawl: of a resumed one, those from before. */
  learn({ pages }: PageState): void {
    if (!this.hasLearned) for (const { url } of pages) this.add(url)
    this.hasLearned = true
  }

  /** Lets a link through, or answers the rule that keeps it from being followed. */
  take(url: string): TrapRule | undefined {
    const rule = this.ruleAgainst(url)
    if (rule === undefined) this.add(url)
    return rule
  }

  private ruleAgainst(url: string): TrapRule | undefined {
    if (url.length > this.limits.maxCrawlUrlLength) return "long-url"
    const { host, pathname } = new URL(url)
    if (repeatsItself(pathname.split("/").slice(1)) || hasRepeatedName(host)) return "repeated-path"
    if (this.keys.has(pageKey(url))) return "same-page"
    if (!this.hosts.has(host) && this.hosts.size >= this.limits.maxCrawlHosts) return "hosts"
    for (const [rule, shape, most] of shapesOf(url, this.limits)) {
      if ((this.shapes.get(shape) ?? 0) >= most) return rule
    }
    return undefined
  }

  private add(url: string): void {
    this.keys.add(pageKey(url))
    this.hosts.add(URL.parse(url)?.host ?? "")
    for (const [, shape] of shapesOf(url, this.limits)) this.shapes.set(shape, (this.shapes.get(shape) ?? 0) + 1)
  }

  /** Whether a page says, word for word, what too many others of its host have said: its links are not followed. */
  isEcho(host: string, markdown: string): boolean {
    const hash = textHash(markdown)
    if (hash === undefined) return false
    const key = `${host} ${hash}`
    const count = (this.texts.get(key) ?? 0) + 1
    this.texts.set(key, count)
    return count > this.limits.maxEchoes
  }
}

/** Whether one to three segments stand four times one after the other. */
const repeatsItself = (segments: ReadonlyArray<string>): boolean => {
  for (let length = 1; length <= 3; length++) {
    let matched = 0
    for (let at = length; at < segments.length; at++) {
      matched = segments[at] !== "" && segments[at] === segments[at - length] ? matched + 1 : 0
      if (matched >= length * 3) return true
    }
  }
  return false
}

/** Whether a host that is no address repeats a name: `www.www.`. */
const hasRepeatedName = (host: string): boolean => /(?:^|\.)([a-z][a-z0-9-]*)\.\1\./.test(host)

const date = /(?<!\d)(?:1[89]|20|21)\d\d(?:([-/_.]?)(?:0?[1-9]|1[0-2])(?:\1(?:[0-2]?\d|3[01]))?)?(?!\d)/g

/** Names of parameters that hold a part of a date. */
const datePart = /([?&](?:year|month|day|week|date)=)[\w:%.+-]*/gi

/** What many pages of a trap have in common: the rule, the name, and how many are allowed. */
const shapesOf = (url: string, limits: TrapLimits): ReadonlyArray<readonly [TrapRule, string, number]> => {
  const shapes: Array<readonly [TrapRule, string, number]> = []
  const dateless = url.replace(datePart, "$1#").replace(date, "#")
  if (dateless !== url) shapes.push(["calendar", `calendar ${dateless}`, limits.maxCalendarPages])
  const start = url.indexOf("?")
  if (start !== -1) {
    const path = url.slice(0, start)
    shapes.push(["query", `query ${path}`, limits.maxQueryVariants])
    if (url.slice(start).split("&").length >= 3) shapes.push(["query", `facets ${path}`, limits.maxFacets])
  }
  return shapes
}
