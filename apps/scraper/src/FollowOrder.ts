import type { PageState } from "./PageState.ts"

/**
 * Whose links are followed next: in the order of the pages, save for pages of hosts that were waited for too long, whose
 * links are followed when they come.
 */
export class FollowOrder {
  private readonly state: PageState
  private readonly hostOf: (id: number) => string
  /** No page before this one is waited for. */
  private head = 0
  private waitedSince: number | undefined
  /** Pages that have not ended and are not waited for. */
  private readonly passed = new Set<number>()
  /** A host that was not waited for once is not waited for again. */
  private readonly slowHosts = new Set<string>()

  constructor(state: PageState, hostOf: (id: number) => string) {
    this.state = state
    this.hostOf = hostOf
  }

  /** The next page that has ended and whose turn has come; none if there is none now. */
  next(): number | undefined {
    for (const id of this.passed) {
      if (!this.state.hasEnded(id)) continue
      this.passed.delete(id)
      return id
    }
    while (this.head < this.state.pages.length) {
      const id = this.head
      const hasEnded = this.state.hasEnded(id)
      if (!hasEnded && !this.slowHosts.has(this.hostOf(id))) return undefined
      this.head++
      this.waitedSince = undefined
      if (hasEnded) return id
      this.passed.add(id)
    }
    return undefined
  }

  /**
   * For how long the page at the head may still be waited for; none if nobody waits. `isStarved` says that there would be
   * time for what comes after it.
   */
  patience(now: number, patienceMs: number, isStarved: boolean): number | undefined {
    const isAwaited = isStarved && this.head < this.state.pages.length - 1
    this.waitedSince = isAwaited ? (this.waitedSince ?? now) : undefined
    return this.waitedSince === undefined ? undefined : Math.max(0, this.waitedSince + patienceMs - now)
  }

  /** Waits no more for the host of the page at the head. */
  losePatience(): void {
    this.waitedSince = undefined
    this.slowHosts.add(this.hostOf(this.head))
  }
}
