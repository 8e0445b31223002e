import { isIP } from "node:net"

/** Which hosts a crawl may visit. */
export interface CrawlScope {
  readonly sameDomainOnly: boolean
  readonly includeSubdomains: boolean
}

/**
 * Whether a crawl rooted at the given URLs may visit `url`. The roots are the seed as asked for and as redirected.
 *
 * "Same domain" is the same host and the same explicit port, so `http` and `https` of one host belong together.
 * With subdomains, every host below the root's counts too, a leading `www.` of the root put aside. An address has no
 * subdomains.
 */
export const inScope = (scope: CrawlScope, roots: ReadonlyArray<string>, url: string): boolean => {
  if (!scope.sameDomainOnly) return true
  const target = URL.parse(url)
  return target !== null && roots.some((root) => sameDomain(URL.parse(root), target, scope.includeSubdomains))
}

const sameDomain = (root: URL | null, target: URL, includeSubdomains: boolean): boolean => {
  if (root === null || root.port !== target.port) return false
  if (root.hostname === target.hostname) return true
  if (!includeSubdomains || isIP(root.hostname) !== 0 || root.hostname.startsWith("[")) return false
  const domain = root.hostname.replace(/^www\./, "")
  return target.hostname === domain || target.hostname.endsWith(`.${domain}`)
}
