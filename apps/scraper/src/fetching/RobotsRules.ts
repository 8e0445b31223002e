import { matchesRobots, type RobotsPattern, robotsForm, robotsPattern } from "./RobotsPattern.ts"
import { robotsLines } from "./robotsLines.ts"

/** What a `robots.txt` says of a path; `unknown` if that takes more work than a path is worth. */
export type RobotsVerdict = "allowed" | "forbidden" | "unknown"

/** Characters looked at before others have their turn: a few milliseconds. */
const stepsATurn = 1_000_000
/** Characters looked at for one path. Past that nobody means what the file says: it is taken to forbid. */
const maxSteps = 100_000_000

interface Rule extends RobotsPattern {
  readonly isAllow: boolean
}

/**
 * The rules of a `robots.txt` for one crawler, by RFC 9309: all groups that name it, or else those for everyone. The most specific
 * rule wins, and of two the one that allows.
 */
export class RobotsRules {
  /** `Crawl-delay` in seconds, the longest that is named; 0 without one. */
  readonly crawlDelay: number
  /** As written there, which may be anything. */
  readonly sitemaps: ReadonlyArray<string>
  /** Rules that name a whole path, or how paths begin, by those. */
  private readonly whole = new Map<string, Rule>()
  private readonly beginnings = new Map<string, Rule>()
  private readonly lengths: ReadonlyArray<number>
  /** The other rules, the most specific first. */
  private readonly wild: ReadonlyArray<Rule>

  constructor(body: Uint8Array, crawler: string) {
    const { crawlDelay, rules, sitemaps } = readGroups(body, crawler)
    this.crawlDelay = crawlDelay
    this.sitemaps = sitemaps
    const wild: Array<Rule> = []
    for (const [path, isAllow] of rules) {
      const rule = { ...robotsPattern(path), isAllow }
      const only = rule.parts.length === 1 ? rule.parts[0]?.[0] : undefined
      if (only === undefined) wild.push(rule)
      else {
        const table = rule.isAnchored ? this.whole : this.beginnings
        table.set(only, stronger(table.get(only), rule))
      }
    }
    this.lengths = [...new Set(Array.from(this.beginnings.keys(), ({ length }) => length))]
    this.wild = wild.sort((a, b) => b.octets - a.octets)
  }

  /** Judges a URL. It yields now and then, where others may be served. */
  *judge(url: string): Generator<void, RobotsVerdict> {
    const { pathname, search } = new URL(url)
    if (pathname === "/robots.txt") return "allowed"
    const path = robotsForm(pathname + search, false)
    let best = this.whole.get(path)
    for (const length of this.lengths) {
      const rule = length <= path.length ? this.beginnings.get(path.slice(0, length)) : undefined
      if (rule !== undefined) best = stronger(best, rule)
    }
    let steps = 0
    let turn = stepsATurn
    for (const rule of this.wild) {
      if (best !== undefined && rule.octets < best.octets) break
      if (matchesRobots(rule, path)) best = stronger(best, rule)
      steps += path.length + rule.octets
      if (steps > maxSteps) return "unknown"
      if (steps > turn) {
        turn = steps + stepsATurn
        yield
      }
    }
    return best === undefined || best.isAllow ? "allowed" : "forbidden"
  }
}

const stronger = (one: Rule | undefined, other: Rule): Rule => {
  if (one === undefined || other.octets > one.octets) return other
  return other.octets === one.octets && other.isAllow ? other : one
}

interface Groups {
  readonly rules: Array<readonly [path: string, isAllow: boolean]>
  crawlDelay: number
}

const readGroups = (body: Uint8Array, crawler: string): Groups & { readonly sitemaps: ReadonlyArray<string> } => {
  const ours: Groups = { rules: [], crawlDelay: 0 }
  const everyones: Groups = { rules: [], crawlDelay: 0 }
  const sitemaps: Array<string> = []
  const token = tokenOf(crawler)
  let isNamed = false
  let speaksTo: ReadonlyArray<Groups> = []
  let hasRules = false
  for (const { field, value } of robotsLines(body)) {
    if (field === "sitemap") {
      sitemaps.push(Buffer.from(value, "latin1").toString())
    } else if (field === "user-agent") {
      // Only a rule ends the lines that name the crawlers of a group.
      if (hasRules) speaksTo = []
      hasRules = false
      const isOurs = token !== "" && tokenOf(value) === token
      isNamed ||= isOurs
      if (isOurs) speaksTo = [...speaksTo, ours]
      else if (/^\*(?:\s|$)/.test(value)) speaksTo = [...speaksTo, everyones]
    } else if (field === "crawl-delay") {
      const seconds = Number(value)
      if (seconds > 0) for (const groups of speaksTo) groups.crawlDelay = Math.max(groups.crawlDelay, seconds)
    } else {
      hasRules = true
      if (value !== "") for (const groups of new Set(speaksTo)) groups.rules.push([value, field === "allow"])
    }
  }
  return { ...(isNamed ? ours : everyones), sitemaps }
}

/** The product token by which a crawler is known: how its name begins. */
const tokenOf = (name: string): string => /^[A-Za-z_-]+/.exec(name)?.[0].toLowerCase() ?? ""
