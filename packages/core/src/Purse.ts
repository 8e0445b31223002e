import type { Budget } from "./Budget.ts"
import type { JobSnapshot } from "./JobSnapshot.ts"

/** Watches what a run has spent and may still spend. Counts a submission in full until its job tells what it reserves. */
export class Purse {
  readonly #budget: Budget | undefined
  readonly #spent: () => number
  /** What jobs that have not told anything yet may cost. */
  readonly #pending = new Map<string, number>()
  /** What jobs were allowed that wanted more. */
  readonly #cut = new Map<string, number>()
  #asking = 0
  #withheld = false

  /** `spent` answers tokens charged and reserved by the jobs that have told. */
  constructor(budget: Budget | undefined, spent: () => number) {
    this.#budget = budget
    this.#spent = spent
  }

  /** How much of a submission's cost the budget allows; 0 when it is used up. What is granted counts as spent at once. */
  grant(tokens: number): number {
    if (this.#budget === undefined || tokens === 0) return tokens
    const left = this.#left()
    const granted = this.#budget.clamp === false ? (left > 0 ? tokens : 0) : Math.max(0, Math.min(tokens, left))
    if (granted === 0) this.#withheld = true
    this.#asking += granted
    return granted
  }

  /** Takes a grant back, because nothing was asked for after all. */
  release(granted: number): void {
    if (this.#budget !== undefined) this.#asking -= granted
  }

  /** Says which job a grant of so many wanted tokens became. */
  assign(granted: number, wanted: number, jobId: string): void {
    if (this.#budget === undefined) return
    this.#asking -= granted
    this.#pending.set(jobId, granted)
    if (granted < wanted) this.#cut.set(jobId, granted)
  }

  /** A job of an earlier attempt, which wanted so many tokens: it was granted no more than the whole budget. */
  assume(wanted: number, jobId: string): void {
    const most = this.#budget?.tokens ?? wanted
    if (most < wanted && this.#budget?.clamp !== false) this.#cut.set(jobId, most)
  }

  /** A job has told its counters: they count from now on. Answers whether the run has come to cost more than it may. */
  told(jobId: string): boolean {
    this.#pending.delete(jobId)
    if (this.#budget === undefined || this.#spent() <= this.#budget.tokens) return false
    this.#withheld = true
    return true
  }

  /** Whether the budget kept something back: a submission, the rest of a job, or pages of a job cut short that has reached its limit. */
  hasKeptBack(jobs: ReadonlyArray<JobSnapshot>): boolean {
    return this.#withheld || jobs.some(({ discovered, jobId }) => discovered >= (this.#cut.get(jobId) ?? Infinity))
  }

  #left(): number {
    let left = (this.#budget?.tokens ?? 0) - this.#spent() - this.#asking
    for (const granted of this.#pending.values()) left -= granted
    return left
  }
}
