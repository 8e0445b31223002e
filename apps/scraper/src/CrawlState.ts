import { isTerminal, type JobStatus } from "@sluice/contract"

/** A page as a crawl remembers it; its content is on disk, at `offset` for `size` bytes once it has ended. */
export interface CrawlPage {
  url: string
  readonly parent: number | null
  readonly depth: number
  status: JobStatus
  offset: number
  size: number
}

/** The counters of a crawl. `total` is the number of its rows. */
export interface CrawlCounts {
  readonly total: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

/**
 * What a crawl knows of its pages, in the order of their discovery. No two pages have the same URL: a page that turned
 * out to be another one (its redirect led to a known URL) is dropped, so it is no row and in no counter. Pages end in
 * the order of their discovery, so rows that have ended never move.
 */
export class CrawlState {
  readonly pages: Array<CrawlPage> = []
  /** The page of each row. */
  readonly rows: Array<number> = []
  private readonly known = new Set<string>()
  private completed = 0
  private failed = 0
  private cancelled = 0

  isKnown(url: string): boolean {
    return this.known.has(url)
  }

  /** Adds a page as queued. The URL must not be known. */
  discover(url: string, parent: number | null, depth: number): void {
    this.known.add(url)
    this.rows.push(this.pages.length)
    this.pages.push({ url, parent, depth, status: "queued", offset: 0, size: 0 })
  }

  /** Ends a page under its final URL. */
  finish(id: number, status: "completed" | "failed", url: string, offset: number, size: number): void {
    const page = this.pages[id]
    if (page === undefined) return
    if (page.status === "cancelled") this.cancelled--
    this.known.add(url)
    page.url = url
    page.status = status
    page.offset = offset
    page.size = size
    if (status === "completed") this.completed++
    else this.failed++
  }

  /** Takes a page out of the rows; its URL stays known. */
  drop(id: number): void {
    const row = this.rows.indexOf(id)
    if (row !== -1) this.rows.splice(row, 1)
    const page = this.pages[id]
    if (page !== undefined && page.status === "cancelled") this.cancelled--
  }

  /** Cancels the pages that have not begun, or with `all` those in work too; answers how many are still in work. */
  cancelOpen(all: boolean): number {
    let inFlight = 0
    for (const id of this.rows) {
      const page = this.pages[id]
      if (page === undefined || isTerminal(page.status)) continue
      if (page.status === "queued" || all) {
        page.status = "cancelled"
        this.cancelled++
      } else inFlight++
    }
    return inFlight
  }

  /** The first page that has not ended, or the number of pages if there is none. */
  firstOpen(): number {
    const open = this.rows.find((id) => !isTerminal(this.pages[id]?.status ?? "completed"))
    return open ?? this.pages.length
  }

  counts(): CrawlCounts {
    return { total: this.rows.length, completed: this.completed, failed: this.failed, cancelled: this.cancelled }
  }
}
