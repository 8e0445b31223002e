import { isIP } from "node:net"
import type { LinkSource } from "@sluice/contract"
import { Context, Effect, Layer, Option, Result, Schema, type Scope, Semaphore } from "effect"
import { Converter } from "../conversion/Converter.ts"
import { Fetcher, type LoadedPage } from "../fetching/Fetcher.ts"
import { Robots } from "../fetching/Robots.ts"
import { normalizeUrl } from "../net/normalizeUrl.ts"
import { finalFailure, type PageFailure } from "../net/PageFailure.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import { inScope } from "./CrawlScope.ts"
import { readSitemap, type Sitemap } from "./Sitemap.ts"

/** What to discover, with the defaults filled in. */
export const MapSpec = Schema.Struct({
  url: Schema.String,
  search: Schema.NullOr(Schema.String),
  includeSubdomains: Schema.Boolean,
  ignoreQueryParameters: Schema.Boolean
})
export type MapSpec = typeof MapSpec.Type

/** The URLs of a site, each once, sitemaps first; and what could not be taken into account. */
export interface Discovered {
  readonly links: ReadonlyArray<{ readonly url: string; readonly source: typeof LinkSource.Type }>
  readonly warnings: ReadonlyArray<string>
}

/** Sitemaps read at once, for one map. */
const concurrency = 4
/** Index files that lead to index files are followed this deep; the files that robots.txt names are at 1. */
const maxDepth = 3
/** Hosts beside the seed's where documentation and the like often live. */
const siblings = ["docs", "blog", "help", "support"]

/**
 * Finds the URLs of a site without crawling it: from the sitemaps that robots.txt names, from `/sitemap.xml`, with
 * subdomains from that of its usual siblings, and from the links of the seed page. Every file is fetched by the rules of
 * pages: robots, politeness, guarded addresses. Fails where neither the page nor a sitemap could be had, with the page's
 * reason.
 */
export class SiteDiscovery extends Context.Service<
  SiteDiscovery,
  {
    readonly discover: (spec: MapSpec) => Effect.Effect<Discovered, PageFailure>
    /**
     * The URLs in the sitemaps of a site alone, up to `maxMapLinks`: those that were read within `mapTimeoutMs`. Of a site that is
     * known by several URLs, those of each.
     */
    readonly sitemapUrls: (site: {
      readonly urls: ReadonlyArray<string>
      readonly includeSubdomains: boolean
    }) => Effect.Effect<ReadonlyArray<string>>
  }
>()("@sluice/scraper/crawl/SiteDiscovery") {
  static readonly layer: Layer.Layer<SiteDiscovery, never, Converter | Fetcher | Robots | ServerSettings> =
    Layer.effect(
      this,
      Effect.gen(function* () {
        const settings = yield* ServerSettings
        const fetcher = yield* Fetcher
        const converter = yield* Converter
        const robots = yield* Robots
        // One at a time over all maps: unpacked and decoded, a file takes several times its size.
        const unpacking = yield* Semaphore.make(1)

        const load = Effect.fnUntraced(function* (
          url: string,
          content: "page" | "any"
        ): Effect.fn.Return<LoadedPage, PageFailure, Scope.Scope> {
          const outcome = yield* fetcher.load(url, {
            headers: {},
            render: null,
            content,
            admit: () => "go",
            started: () => undefined
          })
          if (outcome._tag === "Failed") return yield* outcome.failure
          return outcome._tag === "Loaded" ? outcome : yield* Effect.die("a file of a map is always wanted")
        })

        const seedLinks = Effect.fnUntraced(function* (url: string) {
          const page = yield* load(url, "page")
          return { url: page.url, links: (yield* converter.convert(page, [])).links }
        }, Effect.scoped)

        const sitemapAt = (url: string): Effect.Effect<Sitemap, PageFailure> =>
          load(url, "any").pipe(
            Effect.flatMap((file) =>
              unpacking.withPermits(1)(
                readSitemap(file, { maxBytes: settings.maxPageBytes, maxUrls: settings.maxSitemapUrls })
              )
            ),
            Effect.scoped,
            Effect.timeoutOrElse({
              duration: settings.sitemapTimeoutMs,
              orElse: () => finalFailure("TIMEOUT", `No sitemap within ${settings.sitemapTimeoutMs} ms`)
            })
          )

        /** Reads sitemaps level by level into `take`; answers how many could be read, and what went wrong with named ones. */
        const readSitemaps = Effect.fnUntraced(function* (
          spec: Pick<MapSpec, "includeSubdomains">,
          roots: ReadonlyArray<string>,
          take: (url: string) => boolean
        ) {
          const origins = new Set(roots.map((root) => new URL(root).origin))
          const named = (yield* Effect.forEach(origins, robots.sitemaps)).flat().slice(0, settings.maxSitemaps)
          const warnings: Array<string> = []
          const seen = new Set<string>()
          let read = 0
          let level = [...named, ...roots.flatMap((root) => guesses(root, spec.includeSubdomains))]
          for (let depth = 1; depth <= maxDepth && level.length > 0; depth++) {
            const fresh = [...new Set(level)].filter((url) => !seen.has(url))
            const chosen = fresh.slice(0, Math.max(0, settings.maxSitemaps - seen.size))
            if (chosen.length < fresh.length) warnings.push(`Only ${settings.maxSitemaps} sitemaps were read`)
            for (const url of chosen) seen.add(url)
            const files = yield* Effect.forEach(
              chosen,
              (url) =>
                Effect.match(sitemapAt(url), {
                  onSuccess: (file) => ({ url, file }),
                  onFailure: (failure) => ({ url, failure })
                }),
              { concurrency }
            )
            level = []
            for (const answer of files) {
              if ("failure" in answer) {
                // That a guessed file is not there says nothing.
                if (depth > 1 || named.includes(answer.url)) warnings.push(unread(answer.url, answer.failure))
                continue
              }
              read++
              const into = (url: string) => Option.toArray(normalizeUrl(url, answer.url))
              if (!answer.file.pages.flatMap(into).every(take)) return { read, warnings }
              level.push(...answer.file.sitemaps.flatMap(into))
            }
          }
          if (level.length > 0) warnings.push(`Sitemaps nested deeper than ${maxDepth} were not read`)
          return { read, warnings }
        })

        return SiteDiscovery.of({
          sitemapUrls: Effect.fn("SiteDiscovery.sitemapUrls")(function* ({ includeSubdomains, urls }) {
            const found = new Set<string>()
            const take = (url: string) => found.size < settings.maxMapLinks && found.add(url).size > 0
            yield* readSitemaps({ includeSubdomains }, urls, take).pipe(Effect.timeoutOption(settings.mapTimeoutMs))
            return [...found]
          }),
          discover: Effect.fn("SiteDiscovery.discover")(function* (spec) {
            const links = new Map<string, typeof LinkSource.Type>()
            const wanted = wantedBy(spec)
            let isFull = false
            const seed = yield* Effect.result(seedLinks(spec.url))
            // A site that moves its visitors to `www.` is still the same site.
            const roots = Result.isSuccess(seed) ? [spec.url, seed.success.url] : [spec.url]
            const take = (source: typeof LinkSource.Type) => (url: string) => {
              const link = wanted(roots, url)
              if (link === undefined || links.has(link)) return true
              isFull = links.size >= settings.maxMapLinks
              if (!isFull) links.set(link, source)
              return !isFull
            }
            const sitemaps = yield* readSitemaps(spec, roots, take("sitemap"))
            if (Result.isFailure(seed) && sitemaps.read === 0) return yield* seed.failure
            const warnings = Result.isFailure(seed)
              ? [unread(spec.url, seed.failure), ...sitemaps.warnings]
              : [...sitemaps.warnings]
            if (Result.isSuccess(seed)) seed.success.links.every(take("html"))
            if (isFull) warnings.push(`Only the first ${settings.maxMapLinks} URLs are listed`)
            if (links.size === 0) warnings.push("No URL was found")
            return { links: Array.from(links, ([url, source]) => ({ url, source })), warnings }
          })
        })
      })
    )
}

const unread = (url: string, failure: PageFailure) => `${url} could not be read: ${failure.message}`

/** The spelling under which a URL is listed, or none if it is not asked for. */
const wantedBy = (spec: MapSpec) => {
  const scope = { sameDomainOnly: true, includeSubdomains: spec.includeSubdomains }
  const search = spec.search?.toLowerCase() ?? ""
  return (roots: ReadonlyArray<string>, url: string): string | undefined => {
    if (!inScope(scope, roots, url)) return undefined
    const query = spec.ignoreQueryParameters ? url.indexOf("?") : -1
    const link = query === -1 ? url : url.slice(0, query)
    return link.toLowerCase().includes(search) ? link : undefined
  }
}

/** Where sitemaps stand that nobody names. */
export const guesses = (root: string, includeSubdomains: boolean): ReadonlyArray<string> => {
  const { host, hostname, protocol } = new URL(root)
  const own = `${protocol}//${host}/sitemap.xml`
  const hasSiblings = includeSubdomains && hostname.includes(".") && isIP(hostname) === 0 && hostname[0] !== "["
  if (!hasSiblings) return [own]
  const domain = host.replace(/^www\./, "")
  return [own, ...siblings.map((name) => `${protocol}//${name}.${domain}/sitemap.xml`)]
}
