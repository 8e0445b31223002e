import type { PageContent } from "../conversion/PageContent.ts"
import type { Settings } from "../ScraperConfig.ts"
import { textHash } from "./textHash.ts"

/**
 * Which pages of a crawl are another one under a second URL; the first that ended stays. By `canonical`, those that share the
 * URL that they name as canonical, which may be that of one of them, and say the same; by `content`, those that say the
 * same. What says little is never a duplicate. A resumed crawl does not know its earlier pages.
 */
export class DuplicatePages {
  private readonly mode: Settings["duplicates"]
  private readonly seen = new Set<string>()

  constructor(mode: Settings["duplicates"]) {
    this.mode = mode
  }

  /** Whether another page was the same; takes the page in if none was. */
  has(url: string, content: PageContent): boolean {
    if (this.mode === "keep") return false
    const hash = textHash(content.markdown ?? content.html ?? "")
    if (hash === undefined) return false
    const key = this.mode === "content" ? hash : `${hash} ${content.canonical ?? url}`
    if (this.seen.has(key)) return true
    this.seen.add(key)
    return false
  }
}
