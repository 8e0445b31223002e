import { OutputFormat, ProxyConfig, WaitConfig } from "@sluice/contract"
import { Schema } from "effect"
import type { JobStrategy, LinkFollowing } from "../crawler/PageCrawler.ts"
import type { FoundPage, PageState } from "../crawler/PageState.ts"
import { SiteCookies } from "../fetching/SiteCookies.ts"
import { finalFailure } from "../net/PageFailure.ts"
import { proxyOf, renderField, renderOf } from "../rendering/renderField.ts"
import type { Settings } from "../ScraperConfig.ts"
import { inScope } from "./CrawlScope.ts"
import { CrawlTraps, type TrapLimits, type TrapRule } from "./CrawlTraps.ts"
import { DuplicatePages } from "./DuplicatePages.ts"

/** A crawl as it was asked for, with the defaults filled in. */
export const CrawlSpec = Schema.Struct({
  url: Schema.String,
  depth: Schema.Int,
  limit: Schema.Int,
  formats: Schema.Array(OutputFormat),
  sameDomainOnly: Schema.Boolean,
  includeSubdomains: Schema.Boolean,
  proxy: ProxyConfig,
  waitConfig: Schema.NullOr(WaitConfig),
  ...renderField
})
export type CrawlSpec = typeof CrawlSpec.Type

/** How many pages a crawl may come to have. */
export const mostPagesOf = (spec: Pick<CrawlSpec, "depth" | "limit">): number => (spec.depth === 1 ? 1 : spec.limit)

/** Breadth first from a seed: no URL is crawled twice, no page outside the scope, nothing past depth and limit. */
export const crawlStrategy = (spec: CrawlSpec, settings: TrapLimits & Pick<Settings, "duplicates">): JobStrategy => {
  const duplicates = new DuplicatePages(settings.duplicates)
  return {
    formats: spec.formats,
    headers: {},
    render: renderOf(spec),
    cookies: new SiteCookies(),
    proxy: proxyOf(spec),
    endsAs: (_, loaded) => loaded,
    redirected: (state, id, url) => {
      if (state.isKnown(url)) return "unwanted"
      if (id !== 0 && !inScope(spec, roots(spec, state), url)) {
        return finalFailure("REDIRECT_OUT_OF_SCOPE", `The page redirects to ${url}, which this crawl may not visit`)
      }
      return "go"
    },
    isDuplicate: (url, content) => duplicates.has(url, content),
    following: linkFollowing(spec, new CrawlTraps(settings))
  }
}

const linkFollowing = (spec: CrawlSpec, traps: CrawlTraps): LinkFollowing => ({
  leadsOn: (state, id) => (state.pages[id]?.depth ?? spec.depth) < spec.depth && state.rows.length < spec.limit,
  follow: (state, id, row) => {
    const found: Array<FoundPage> = []
    const skipped = new Map<string, number>()
    const skip = (rule: TrapRule) => skipped.set(rule, (skipped.get(rule) ?? 0) + 1)
    const page = state.pages[id]
    if (page === undefined) return { found, skipped }
    traps.learn(state)
    const wanted = row.links.filter((url) => !state.isKnown(url) && inScope(spec, roots(spec, state), url))
    if (wanted.length > 0 && traps.isEcho(new URL(page.url).host, row.data?.markdown ?? row.data?.html ?? "")) {
      for (const _ of wanted) skip("echo")
      return { found, skipped }
    }
    for (const url of wanted) {
      if (state.rows.length + found.length >= spec.limit) break
      const rule = traps.take(url)
      if (rule === undefined) found.push({ url, parent: id, depth: page.depth + 1 })
      else skip(rule)
    }
    return { found, skipped }
  }
})

/** The seed as asked for and as redirected: a site that moves its visitors to `www.` is still the same site. */
const roots = (spec: CrawlSpec, state: PageState): ReadonlyArray<string> => [spec.url, state.pages[0]?.url ?? spec.url]
