import { OutputFormat, ProxyConfig, WaitConfig } from "@sluice/contract"
import { Schema } from "effect"
import { inScope } from "./CrawlScope.ts"
import { finalFailure } from "./PageFailure.ts"
import type { PageRules } from "./PageRun.ts"
import type { FoundPage, PageState } from "./PageState.ts"
import { renderField, renderOf } from "./RenderField.ts"

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
export const crawlRules = (spec: CrawlSpec): PageRules => ({
  formats: spec.formats,
  headers: {},
  render: renderOf(spec),
  endsAs: (_, loaded) => loaded,
  redirected: (state, id, url) => {
    if (state.isKnown(url)) return "unwanted"
    if (id !== 0 && !inScope(spec, roots(spec, state), url)) {
      return finalFailure("REDIRECT_OUT_OF_SCOPE", `The page redirects to ${url}, which this crawl may not visit`)
    }
    return "go"
  },
  following: {
    leadsOn: (state, id) => (state.pages[id]?.depth ?? spec.depth) < spec.depth && state.rows.length < spec.limit,
    follow: (state, id, links) => {
      const page = state.pages[id]
      if (page === undefined) return []
      const from = roots(spec, state)
      const room = spec.limit - state.rows.length
      const found = new Map<string, FoundPage>()
      for (const url of links) {
        if (found.size >= room) break
        if (!state.isKnown(url) && inScope(spec, from, url)) found.set(url, { url, parent: id, depth: page.depth + 1 })
      }
      return [...found.values()]
    }
  }
})

/** The seed as asked for and as redirected: a site that moves its visitors to `www.` is still the same site. */
const roots = (spec: CrawlSpec, state: PageState): ReadonlyArray<string> => [spec.url, state.pages[0]?.url ?? spec.url]
