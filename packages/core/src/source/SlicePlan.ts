import { isTerminal } from "@sluice/contract"
import { chargedPages, due, endedPages, isNewer, type JobSnapshot } from "../record/JobSnapshot.ts"

/** Page sizes a plan chooses from by the weight of bodies. Each divides the one before, so slices keep their edges. */
const pageSizes = [50, 25, 5, 1] as const
/** What is asked for while nothing is known of the bodies: fifty pages of unknown size are not. */
const probeIndex = 2

/** Slices in a row, beyond what the counters promise, that show nothing new: a sweep looks no further then. */
const fruitlessSlices = 3
/** What one answer said of the slice it carried. */
export interface SliceReport {
  readonly page: number
  readonly rows: number
  readonly terminalRows: number
  /** The keys of its terminal rows, xored: two slices of the same rows have the same, in whatever order. */
  readonly print?: bigint
}

/**
 * What to do next: read these slices, after a pause or at once (`sweep` is the number of the sweep they begin), or stop.
 * `fell` is there where counters went back from what they had said.
 */
export type Step =
  | {
      readonly _tag: "Read"
      readonly afterPause: boolean
      readonly pages: ReadonlyArray<number>
      readonly sweep?: number
    }
  | {
      readonly _tag: "Done"
      readonly reconciled: boolean
      readonly fell?: { readonly from: number; readonly to: number }
    }

/**
 * Decides which slice of a moving job to read next. Every read is a poll as well, since each answer carries the job's
 * counters. A slice is *closed* once it was seen full and wholly terminal; the *frontier* is the first that is not. Between
 * two pauses further slices are read only while the counters say that pages have ended which were not seen yet, and only
 * within a credit, so that reads never pass pauses + 2 x ceil(pages / page size). When the job is terminal what is open is
 * read once, and on from there while slices show something new: a server may send fewer rows than it is asked for. While the
 * distinct pages seen still differ from the job's counters, all is swept again, a bounded number of times and until a sweep
 * began when the job had settled. Nothing is assumed about order: a slice is a sample. A slice that repeats another one of its
 * sweep shows nothing new, so a server that ignores \`page\` is found out. Every other sweep asks for page 0 as well, since a
 * server may count from there; where fewer rows are listed than have ended, every other one from the third on asks for small
 * slices, since a server may send no more rows than it sees fit, and the others on no page.
 *
 * The first slices are small. Once it is known what bodies weigh, {@link fit} says how many of them a slice may hold.
 */
export class SlicePlan {
  #sizeIndex: number
  #isProbing: boolean
  #frontier = 1
  readonly #closed = new Set<number>()
  #lastPage = 0
  #lastFull = false
  #started = false
  #snapshot: JobSnapshot | undefined
  #seen = 0
  /** Rows asked for by reads without a pause. */
  #extraRows = 0
  #sweeps = 0
  /** Sweeps that began when nothing could lag behind any more. */
  #settledSweeps = 0
  /** Rows that were listed in this sweep, those that have not ended included. */
  #rowsInSweep = 0
  #rotation = 0
  /** How far to look beyond where rows were seen: a slice may be short, or empty, before others that are not. */
  #reach = 0
  #progressed = false
  readonly #readSincePause = new Set<number>()
  readonly #readSinceTerminal = new Set<number>()
  readonly #maxSweeps: number
  readonly #mostSweeps: number
  /** The most pages that counters or charges ever said have ended. */
  #peak = 0
  /** What the slices of this sweep hold, those that were read since the job ended. */
  readonly #prints = new Set<bigint>()
  #fruitless = 0
  #furthest = 0
  /** Whether this sweep keeps to small slices. */
  #isFine = false
  #coarseIndex = 0

  constructor(options: {
    readonly maxSweeps: number
    readonly mostSweeps?: number
    readonly seen: number
    readonly probe?: boolean
  }) {
    this.#mostSweeps = Math.max(options.maxSweeps, options.mostSweeps ?? options.maxSweeps)
    this.#isProbing = options.probe ?? false
    this.#sizeIndex = this.#isProbing ? probeIndex : 0
    this.#maxSweeps = options.maxSweeps
    this.#seen = options.seen
  }

  get pageSize(): number {
    return pageSizes[this.#sizeIndex]!
  }

  get snapshot(): JobSnapshot | undefined {
    return this.#snapshot
  }

  /** How many slices of the present size rows have been seen in, or may be. */
  get slices(): number {
    return Math.max(this.#bound(), this.#slicesOf(this.#snapshot?.discovered ?? 0))
  }

  /** Pages the counters say have ended, or should have, and that were not seen yet. */
  get unseen(): number {
    return this.#snapshot === undefined ? 0 : due(this.#snapshot) - this.#seen
  }

  /** Takes in an answer. `seen` is how many distinct terminal pages have been seen so far, this answer included. */
  observe(snapshot: JobSnapshot, slice: SliceReport, seen: number): void {
    this.#progressed ||= seen > this.#seen
    this.#seen = seen
    if (this.#snapshot === undefined || isNewer(snapshot, this.#snapshot)) this.#snapshot = snapshot
    if (slice.rows > 0 && slice.page >= this.#lastPage) {
      this.#lastPage = slice.page
      this.#lastFull = slice.rows === this.pageSize
    }
    this.#peak = Math.max(this.#peak, endedPages(snapshot), chargedPages(snapshot))
    if (isTerminal(snapshot.status)) this.#look(slice)
    if (slice.rows === this.pageSize && slice.terminalRows === slice.rows) this.#close(slice.page)
  }

  /** Takes note of a slice that was read since the job ended. */
  #look({ page, print, rows }: SliceReport): void {
    this.#readSinceTerminal.add(page)
    this.#rowsInSweep += rows
    const isNew = rows > 0 && (print === undefined || !this.#prints.has(print))
    if (print !== undefined && rows > 0) this.#prints.add(print)
    if (isNew) this.#fruitless = 0
    // Slices come back in any order, and one up to here may be empty before others that are not.
    else if (page > this.#expected) this.#fruitless++
    this.#furthest = Math.max(this.#furthest, page)
  }

  /**
   * Chooses the page size by how many rows a slice may hold. It follows at once where slices have to become smaller, and where
   * they may become larger once they may be twice as large, so that it does not go to and fro.
   */
  fit(rows: number): void {
    const allowed = (index: number) => pageSizes[index]! <= Math.max(1, rows)
    while (!allowed(this.#sizeIndex)) this.#shrink()
    if (this.#isFine) return
    const margin = this.#isProbing ? 1 : 2
    const wanted = pageSizes.findIndex((size) => size * margin <= rows)
    if (wanted !== -1 && wanted < this.#sizeIndex) this.#grow(wanted)
    this.#isProbing = false
  }

  #shrink(): void {
    const factor = this.pageSize / pageSizes[this.#sizeIndex + 1]!
    this.#sizeIndex++
    this.#frontier = (this.#frontier - 1) * factor + 1
    for (const set of [this.#closed, this.#readSincePause, this.#readSinceTerminal]) {
      const pages = [...set]
      set.clear()
      for (const page of pages) for (let part = 0; part < factor; part++) set.add((page - 1) * factor + 1 + part)
    }
    this.#lastPage *= factor
    this.#reach *= factor
    this.#furthest *= factor
    this.#prints.clear()
  }

  /** A larger slice is closed, or was read, if all the smaller ones it is made of were. */
  #grow(index: number): void {
    const factor = pageSizes[index]! / this.pageSize
    const larger = (page: number) => Math.floor((page - 1) / factor) + 1
    const frontier = this.#frontier
    this.#frontier = larger(frontier)
    this.#sizeIndex = index
    for (const set of [this.#closed, this.#readSincePause, this.#readSinceTerminal]) {
      const candidates = new Set([...set].map(larger))
      const whole = [...candidates].filter((page) => {
        for (let part = (page - 1) * factor + 1; part <= page * factor; part++) {
          if (!set.has(part) && !(set === this.#closed && part < frontier)) return false
        }
        return true
      })
      set.clear()
      for (const page of whole) set.add(page)
    }
    this.#lastFull = this.#lastFull && this.#lastPage % factor === 0
    this.#lastPage = Math.ceil(this.#lastPage / factor)
    this.#reach = Math.ceil(this.#reach / factor)
    this.#furthest = Math.ceil(this.#furthest / factor)
    this.#prints.clear()
    this.#rotation = 0
  }

  /** `isSettled` tells whether the job's pages have had their time to catch up with its counters. */
  next(isSettled = true): Step {
    if (!this.#started) {
      this.#started = true
      return this.#read([1], true)
    }
    const snapshot = this.#snapshot
    return snapshot !== undefined && isTerminal(snapshot.status) ? this.#finish(isSettled) : this.#follow()
  }

  /** While the job runs: go on without a pause only where the counters promise news and the credit allows. */
  #follow(): Step {
    const worthwhile = this.#progressed ? this.unseen > 0 : this.unseen * 2 >= this.pageSize
    this.#progressed = false
    const credit = this.#credit(1)
    if (worthwhile && credit > 0) {
      const pages = this.#open(this.#readSincePause, Math.min(credit, Math.ceil(this.unseen / this.pageSize)))
      if (pages.length > 0) return this.#read(pages, false)
    }
    return this.#read([this.unseen > 0 ? this.#rotate() : this.#frontier], true)
  }

  /** When the job is terminal: what is open, then whole sweeps while counters and pages differ. */
  #finish(isSettled: boolean): Step {
    const counted = this.#snapshot === undefined ? 0 : due(this.#snapshot)
    const fell = counted < this.#peak ? { fell: { from: this.#peak, to: counted } } : {}
    if (this.#seen === Math.max(counted, this.#peak)) return { _tag: "Done", reconciled: true, ...fell }
    const open = this.#open(this.#readSinceTerminal, Number.POSITIVE_INFINITY)
    if (open.length === 0 && this.#fruitless < fruitlessSlices && this.#furthest < this.#mostSlices) {
      open.push(++this.#furthest)
    }
    if (open.length > 0) {
      const credit = this.#credit(2)
      return credit > 0 ? this.#read(open.slice(0, credit), false) : this.#read(open.slice(0, 1), true)
    }
    // Of two sweeps in a row one asks for page 0, and the other for small slices where that may help.
    const hasSettled = this.#settledSweeps >= Math.min(2, this.#maxSweeps)
    const isFinal = this.#sweeps >= this.#mostSweeps || (this.#sweeps >= this.#maxSweeps && hasSettled)
    // Counters may go back for good, where a page that had failed is fetched after all: the last ones count then.
    if (isFinal) return { _tag: "Done", reconciled: this.#seen === counted, ...fell }
    this.#sweeps++
    if (isSettled) this.#settledSweeps++
    if (this.#isFine) this.#grow(this.#coarseIndex)
    const isShort = this.#rowsInSweep < Math.max(counted, this.#peak)
    this.#rowsInSweep = 0
    this.#isFine = isShort && this.#sweeps >= 3 && this.#sweeps % 2 === 1 && this.#sizeIndex < probeIndex
    if (this.#isFine) this.#coarseIndex = this.#sizeIndex
    while (this.#isFine && this.#sizeIndex < probeIndex) this.#shrink()
    this.#reach = this.#slicesOf(this.#snapshot?.discovered ?? 0)
    this.#frontier = 1
    this.#closed.clear()
    this.#readSinceTerminal.clear()
    this.#prints.clear()
    this.#fruitless = 0
    this.#furthest = 0
    const step = this.#read([this.#sweeps % 2 === 0 ? 0 : 1], true)
    return step._tag === "Read" ? { ...step, sweep: this.#sweeps } : step
  }

  /** Slices a sweep reads at most: one for each page, in case each slice holds one. */
  get #mostSlices(): number {
    return Math.max(this.#snapshot?.discovered ?? 0, this.#peak, this.#seen) + fruitlessSlices
  }

  /** Slices the counters promise. */
  get #expected(): number {
    return Math.max(1, this.#snapshot === undefined ? 1 : this.#slicesOf(endedPages(this.#snapshot)))
  }

  #read(pages: ReadonlyArray<number>, afterPause: boolean): Step {
    if (afterPause) this.#readSincePause.clear()
    else this.#extraRows += pages.length * this.#rowsOfRead
    for (const page of pages) this.#readSincePause.add(page)
    return { _tag: "Read", afterPause, pages }
  }

  /** Slices that are neither closed nor in `except`, from the frontier up to the last one there is reason to expect. */
  #open(except: ReadonlySet<number>, most: number): Array<number> {
    const pages: Array<number> = []
    for (let page = this.#frontier; page <= this.#bound() && pages.length < most; page++) {
      if (!this.#closed.has(page) && !except.has(page)) pages.push(page)
    }
    return pages
  }

  /**
   * The next open slice after the one a pause led to before, so that none waits for ever behind a stuck one. Each time all
   * of them have been looked at, one more is.
   */
  #rotate(): number {
    const bound = this.#bound()
    for (let page = Math.max(this.#rotation + 1, this.#frontier); page <= bound; page++) {
      if (!this.#closed.has(page)) {
        this.#rotation = page
        return page
      }
    }
    this.#rotation = this.#frontier
    this.#reach = Math.max(this.#reach, Math.min(bound + 1, this.#slicesOf(this.#snapshot?.discovered ?? 0)))
    return this.#frontier
  }

  #bound(): number {
    // Once the job has ended, how far to look beyond that is said by what is found there.
    const isFinal = this.#snapshot !== undefined && isTerminal(this.#snapshot.status)
    return Math.max(isFinal ? 0 : this.#lastPage + (this.#lastFull ? 1 : 0), this.#expected, this.#reach)
  }

  /** Slices that may still be read without a pause, where each page may be so many times. */
  #credit(times: number): number {
    const pages = Math.max(this.#seen, this.#snapshot === undefined ? 0 : endedPages(this.#snapshot))
    const size = this.#rowsOfRead
    return Math.floor((times * Math.ceil(pages / size) * size - this.#extraRows) / size)
  }

  /** What a read counts: a probe as much as the slice it stands for. */
  get #rowsOfRead(): number {
    return this.#isProbing ? pageSizes[0] : this.pageSize
  }

  #slicesOf(pages: number): number {
    return Math.ceil(pages / this.pageSize)
  }

  #close(page: number): void {
    if (page >= this.#frontier) this.#closed.add(page)
    while (this.#closed.delete(this.#frontier)) this.#frontier++
  }
}
