/** A page as a crawl saw it end. */
export interface Sighting {
  readonly page: number
  readonly outcome: "body 0" | "body 1" | "body 2" | "failed" | "cancelled"
  readonly took: number
}

interface Version {
  readonly outcome: Sighting["outcome"]
  readonly closedAs: "changed" | "gone" | null
}

const isCompleted = (outcome: Sighting["outcome"]): boolean => outcome.startsWith("body")

/** What history mode is to keep, in as few words as it can be said. */
export class HistoryModel {
  readonly #closeAfter: number
  readonly #current = new Map<number, Sighting["outcome"]>()
  readonly #closed = new Map<number, Array<Version>>()
  readonly #misses = new Map<number, number>()

  constructor(closeAfter: number) {
    this.#closeAfter = closeAfter
  }

  see({ outcome, page }: Sighting): void {
    const current = this.#current.get(page)
    if (outcome !== "cancelled") this.#misses.delete(page)
    if (current !== undefined && isCompleted(current)) {
      if (!isCompleted(outcome) || outcome === current) return
      this.#close(page, "changed")
    }
    this.#current.set(page, outcome)
  }

  publish(seen: ReadonlyArray<number>, isExhaustive: boolean): void {
    for (const page of seen) this.#misses.delete(page)
    if (!isExhaustive) return
    for (const page of [...this.#current.keys()]) {
      if (seen.includes(page)) continue
      const misses = (this.#misses.get(page) ?? 0) + 1
      this.#misses.set(page, misses)
      if (misses < this.#closeAfter) continue
      this.#close(page, "gone")
      this.#current.delete(page)
      this.#misses.delete(page)
    }
  }

  /** What the tables are to hold, in the order of the URLs and of time. */
  existing(urlOf: (page: number) => string) {
    const row = (page: number, outcome: Sighting["outcome"]) => ({
      url: urlOf(page),
      status: isCompleted(outcome) ? "completed" : outcome,
      markdown: isCompleted(outcome) ? outcome : null,
      links: isCompleted(outcome) ? 1 : 0
    })
    const pages = [...new Set([...this.#current.keys(), ...this.#closed.keys()])].sort((a, b) => a - b)
    const versions = pages.flatMap((page) => {
      const current = this.#current.get(page)
      const all: ReadonlyArray<Version> = [
        ...(this.#closed.get(page) ?? []),
        ...(current === undefined ? [] : [{ outcome: current, closedAs: null }])
      ]
      return all.map(({ closedAs, outcome }) => ({ ...row(page, outcome), closed_as: closedAs }))
    })
    const byPage = <A>(map: ReadonlyMap<number, A>) => [...map].sort(([a], [b]) => a - b)
    return {
      versions,
      current: byPage(this.#current).map(([page, outcome]) => row(page, outcome)),
      missing: byPage(this.#misses).map(([page, misses]) => ({ url: urlOf(page), misses }))
    }
  }

  #close(page: number, closedAs: "changed" | "gone"): void {
    const closed = this.#closed.get(page) ?? []
    closed.push({ outcome: this.#current.get(page)!, closedAs })
    this.#closed.set(page, closed)
  }
}
