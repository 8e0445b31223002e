import { isTerminal, type JobStatus } from "@sluice/contract"
import { makeRng, roll } from "./Rng.ts"
import type { Rows, SiteModel, SitePage } from "./SiteModel.ts"

/** A row of a job's results. What a completed one holds comes from the site. `inputIndex` is for batches. */
export interface HistoryRow extends SitePage {
  readonly status: JobStatus
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly inputIndex?: number
}

/** A job as one poll shows it: its counters and its results, which the API cuts into slices. */
export interface JobState {
  readonly status: JobStatus
  /** Pages discovered so far, or URLs of a batch. */
  readonly total: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly rows: Rows<HistoryRow>
}

/**
 * What a job looks like from poll to poll, the first being 0. Undefined means the API does not know the job. Time plays no
 * part: every GET of the job is a poll, so a test decides by its requests how far the job has come.
 */
export interface JobHistory {
  readonly at: (poll: number) => JobState | undefined
}

/** The given states one after the other; the last one stays. */
export const historyOf = (...states: readonly [JobState, ...ReadonlyArray<JobState>]): JobHistory => ({
  at: (poll) => states[Math.min(poll, states.length - 1)]
})

/** A state whose counters are those of its rows. */
export const stateOf = (status: JobStatus, rows: ReadonlyArray<HistoryRow>): JobState => {
  const count = (wanted: JobStatus) => rows.filter((row) => row.status === wanted).length
  return {
    status,
    total: rows.length,
    completed: count("completed"),
    failed: count("failed"),
    cancelled: count("cancelled"),
    rows
  }
}

/** How fast a job comes on. */
export interface Pace {
  /** Pages that end from one poll to the next. */
  readonly perPoll?: number
  /** Pages at most, as `limit` asks; depth is up to the site. */
  readonly limit?: number
  readonly depth?: number
}

/** A crawl of a site, breadth first: queued at first, then page after page, pages in work being rows as well. */
export const crawlHistory = (site: SiteModel, pace: Pace = {}): JobHistory => {
  const limit = Math.min(site.pages.length, pace.limit ?? Number.POSITIVE_INFINITY)
  const { depth } = pace
  if (depth === undefined) return orderlyHistory(site, { length: limit, slice: (a, b) => site.pages.slice(a, b) }, pace)
  const within = site.pages.slice(0, site.pages.length).filter((page) => page.depth <= depth)
  return orderlyHistory(site, within.slice(0, limit), pace)
}

/** A batch of URLs, in the order they were given. Refused ones leave a gap in the numbers. */
export const batchHistory = (
  site: SiteModel,
  urls: ReadonlyArray<string>,
  pace: Pace = {},
  isInvalid: (url: string) => boolean = () => false
): JobHistory =>
  orderlyHistory(
    site,
    urls
      .map((url, inputIndex) => ({ url, inputIndex, parentUrl: null, depth: 1 }))
      .filter(({ url }) => !isInvalid(url)),
    pace,
    true
  )

const orderlyHistory = (
  site: SiteModel,
  pages: Rows<SitePage & { readonly inputIndex?: number }>,
  pace: Pace,
  allKnown = false
): JobHistory => {
  const perPoll = pace.perPoll ?? 10
  // failed pages among the first `upTo`, counted on from poll to poll
  const counted = { upTo: 0, failed: 0 }
  const failedAmong = (ended: number): number => {
    if (ended < counted.upTo) {
      counted.upTo = 0
      counted.failed = 0
    }
    for (const { url } of pages.slice(counted.upTo, ended)) if (site.ending(url).status === "failed") counted.failed++
    counted.upTo = ended
    return counted.failed
  }
  return {
    at: (poll) => {
      const ended = Math.min(pages.length, poll * perPoll)
      const failed = failedAmong(ended)
      const total = allKnown ? pages.length : Math.min(pages.length, ended + 2 * perPoll)
      const rows = {
        length: total,
        slice: (start: number, end: number) =>
          pages.slice(start, Math.min(end, total)).map((page, offset): HistoryRow => {
            const index = start + offset
            if (index < ended) return { ...page, ...site.ending(page.url) }
            return { ...page, status: index < ended + perPoll ? "processing" : "queued" }
          })
      }
      const status = ended === pages.length ? "completed" : poll === 0 ? "queued" : "processing"
      return { status, total, completed: ended - failed, failed, cancelled: 0, rows }
    }
  }
}

/** The API does not know the job for its first polls: a job store that answers late. */
export const unknownAtFirst = (polls: number, history: JobHistory): JobHistory => ({
  at: (poll) => (poll < polls ? undefined : history.at(poll - polls))
})

/** The API forgets the job at a poll, and for good. */
export const vanishingAt = (poll: number, history: JobHistory): JobHistory => ({
  at: (now) => (now >= poll ? undefined : history.at(now))
})

/** Now and then a poll shows the job as it was up to `back` polls before. */
export const stale = (
  options: { readonly seed: number; readonly probability: number; readonly back: number },
  history: JobHistory
): JobHistory => ({
  at: (poll) => {
    const next = makeRng(options.seed, "stale", poll)
    return history.at(next() < options.probability ? Math.max(0, poll - 1 - roll(next, options.back)) : poll)
  }
})

/** A job whose pages all end and that never says so. */
export const endless = (history: JobHistory): JobHistory =>
  mapStates(history, (state) => (isTerminal(state.status) ? { ...state, status: "processing" } : state))

/** Each state as another. */
export const mapStates = (history: JobHistory, f: (state: JobState, poll: number) => JobState): JobHistory => ({
  at: (poll) => {
    const state = history.at(poll)
    return state === undefined ? undefined : f(state, poll)
  }
})

/** Rows that have ended only; slices are cut first, so they come up short. */
export const hidePending = (state: JobState): JobState => ({
  ...state,
  rows: {
    length: state.rows.length,
    slice: (start, end) => state.rows.slice(start, end).filter((row) => isTerminal(row.status))
  }
})

/** The state of a cancelled job: pages still open among its rows are cancelled and counted so, others never happened. */
export const cancelledState = (state: JobState): JobState => {
  const open = state.total - state.completed - state.failed - state.cancelled
  return {
    ...state,
    status: "cancelled",
    cancelled: state.cancelled + Math.max(0, open),
    rows: {
      length: state.rows.length,
      slice: (start, end) =>
        state.rows
          .slice(start, end)
          .map((row) => (isTerminal(row.status) ? row : { ...row, status: "cancelled" as const }))
    }
  }
}
