import { isTerminal, type JobStatus } from "@sluice/contract"

/** A page that was found: under which URL, on which page, how deep, and, where a list named it, at which place. */
export interface FoundPage {
  readonly url: string
  readonly parent: number | null
  readonly depth: number
  readonly index?: number
}

/** A page as its job remembers it; its content is on disk, at `offset` for `size` bytes once it has ended. */
export interface JobPage {
  url: string
  readonly parent: number | null
  readonly depth: number
  /** The place in the list it was named in; pages found by links have none. */
  readonly index: number | null
  status: JobStatus
  offset: number
  size: number
  /** Whether the pages that its links lead to have been found. */
  isFollowed: boolean
}

/** The counters of a job. `total` is the number of its rows. */
export interface PageCounts {
  readonly total: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

/** How many pages have not ended. */
export const openPagesOf = ({ cancelled, completed, failed, total }: PageCounts): number =>
  total - completed - failed - cancelled

/**
 * What a job knows of its pages, in the order in which they were found. Whether two pages may have one URL is for the
 * finder to decide. A page that turned out to be another one is dropped, so it is no row and in no counter. Rows keep
 * their order.
 */
export class PageState {
  readonly pages: Array<JobPage> = []
  /** The page of each row. */
  readonly rows: Array<number> = []
  /** What the request named besides its pages, and could not be fetched. */
  readonly refused: Array<string> = []
  private readonly known = new Set<string>()
  private readonly dropped = new Set<number>()
  private completed = 0
  private failed = 0
  private cancelled = 0

  isKnown(url: string): boolean {
    return this.known.has(url)
  }

  /** Adds a page as queued. */
  discover({ depth, index, parent, url }: FoundPage): void {
    this.known.add(url)
    this.rows.push(this.pages.length)
    this.pages.push({
      url,
      parent,
      depth,
      index: index ?? null,
      status: "queued",
      offset: 0,
      size: 0,
      isFollowed: false
    })
  }

  /** Remembers that the pages its links lead to have been found. */
  follow(id: number): void {
    const page = this.pages[id]
    if (page !== undefined) page.isFollowed = true
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
    if (page === undefined) return
    if (page.status === "cancelled") this.cancelled--
    page.isFollowed = true
    this.dropped.add(id)
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

  /** Whether a page has ended, be it as a row or as none. */
  hasEnded(id: number): boolean {
    return this.dropped.has(id) || isTerminal(this.pages[id]?.status ?? "completed")
  }

  /** The pages that have not ended, in order. */
  openPages(): ReadonlyArray<number> {
    return this.rows.filter((id) => !isTerminal(this.pages[id]?.status ?? "completed"))
  }

  /** The pages that were loaded or failed, in the order of their end. */
  endedPages(): ReadonlyArray<JobPage> {
    return this.pages.filter(({ size }) => size > 0).sort((a, b) => a.offset - b.offset)
  }

  counts(): PageCounts {
    return { total: this.rows.length, completed: this.completed, failed: this.failed, cancelled: this.cancelled }
  }
}
