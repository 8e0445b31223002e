import type { Pipeline, Progress } from "@sluice/core"

/** The pace is that of the last so many milliseconds, by so many looks at most. */
const windowMs = 30_000
const mostLooks = 64
/** A pace over less time says nothing of what is to come. */
const leastMs = 5_000

/** What bounds what can still come of a run. */
export interface ComingBounds {
  /** Pages at most, by the source's limit or its list of URLs. */
  readonly pages?: number | undefined
  /** Tokens at most, by the budget of a run. */
  readonly tokens?: number | undefined
}

/** How fast a run is, and how long what can still come may take. */
export interface Pace {
  readonly pagesPerSecond: number
  /** Seconds; `atMost` where pages are still being discovered and only a bound is known. Undefined where nothing honest can be said. */
  readonly left: { readonly seconds: number; readonly atMost: boolean } | undefined
}

/** What bounds a pipeline's runs. */
export const boundsOfRun = ({ budget, source }: Pick<Pipeline, "budget" | "source">): ComingBounds => ({
  pages: source.crawl?.limit ?? source.batch?.urls.length,
  tokens: budget?.tokens
})

interface Look {
  readonly at: number
  readonly done: number
  readonly discovered: number
}

const doneOf = ({ pages }: Progress): number => pages.completed + pages.failed + pages.cancelled

/** Measures the pace of one process's part of a run: an earlier attempt may have been hours ago. */
export class ProgressPace {
  #looks: Array<Look> = []
  readonly #bounds: ComingBounds

  constructor(bounds: ComingBounds = {}) {
    this.#bounds = bounds
  }

  /** Takes a look in, and answers the pace up to it. */
  at(progress: Progress, now: number): Pace {
    const look = { at: now, done: doneOf(progress), discovered: progress.pages.discovered }
    const kept = this.#looks.filter(({ at }) => at >= now - windowMs)
    // Of too many every other one is kept, and the first: the window stays as long as it is.
    this.#looks = [...(kept.length < mostLooks ? kept : kept.filter((_, index) => index % 2 === 0)), look]
    const [first = look] = this.#looks
    const seconds = (now - first.at) / 1000
    const pagesPerSecond = seconds > 0 ? Math.max(0, look.done - first.done) / seconds : 0
    return { pagesPerSecond, left: this.#left(progress, first, look, pagesPerSecond) }
  }

  #left(progress: Progress, first: Look, { at, discovered, done }: Look, pagesPerSecond: number): Pace["left"] {
    if (pagesPerSecond === 0 || at - first.at < leastMs) return undefined
    const { pages: limit, tokens } = this.#bounds
    const isFirm = discovered === first.discovered || (limit !== undefined && discovered >= limit)
    if (!isFirm && limit === undefined) return undefined
    const byLimit = Math.min(limit ?? Number.POSITIVE_INFINITY, isFirm ? discovered : Number.POSITIVE_INFINITY) - done
    const { charged } = progress.tokens
    // What a page costs shows once some have been paid for.
    const byBudget =
      tokens === undefined || charged === 0 ? Number.POSITIVE_INFINITY : ((tokens - charged) / charged) * done
    const rest = Math.min(byLimit, byBudget)
    return rest <= 0 ? undefined : { seconds: rest / pagesPerSecond, atMost: !isFirm }
  }
}
