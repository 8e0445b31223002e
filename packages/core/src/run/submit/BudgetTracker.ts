import { isTerminal } from "@sluice/contract"
import type { JobSnapshot } from "../../record/JobSnapshot.ts"
import { describeRemaining, type RemainingBudget } from "./RemainingBudget.ts"

/**
 * Watches what a run has spent and may still spend. A submission counts in full from the moment it is granted; its job counts
 * with what it has charged and reserved, and, where what it asks for was cut to fit, with all it was granted until it ends.
 */
export class BudgetTracker {
  readonly #clamp: boolean
  readonly #spent: () => number
  #remaining: RemainingBudget | undefined
  /** What jobs under way may still cost beyond what they have told. */
  readonly #open = new Map<string, { readonly granted: number; rest: number }>()
  #rests = 0
  /** What jobs were allowed that wanted more. */
  readonly #cut = new Map<string, number>()
  #asking = 0
  #denied = false

  /** `spent` answers tokens charged and reserved by the jobs that have told. */
  constructor(options: { readonly clamp: boolean; readonly spent: () => number }) {
    this.#clamp = options.clamp
    this.#spent = options.spent
  }

  /** Says what the run may cost from now on; without, it may cost anything. */
  allow(remaining: RemainingBudget | undefined): void {
    this.#remaining = remaining
  }

  /** How much of a submission's cost is allowed; 0 when there is nothing left. What is granted counts as spent at once. */
  grant(tokens: number): number {
    if (this.#remaining === undefined || tokens === 0) return tokens
    const left = this.#left()
    const granted = this.#clamp ? Math.max(0, Math.min(tokens, left)) : left > 0 ? tokens : 0
    if (granted === 0) this.#denied = true
    this.#asking += granted
    return granted
  }

  /** Whether grants have come to pass what is allowed, since another run took a share: the last one must be taken back. */
  isOverdrawn(): boolean {
    return this.#clamp && this.#remaining !== undefined && this.#left() < 0
  }

  /** Takes a grant back, because nothing was asked for after all. */
  release(granted: number): void {
    if (this.#remaining !== undefined) this.#asking -= granted
  }

  /** Takes a grant back for want of tokens. */
  deny(granted: number): void {
    this.#denied = true
    this.release(granted)
  }

  /** Says which job a grant of so many wanted tokens became. */
  assign(granted: number, wanted: number, jobId: string): void {
    if (this.#remaining === undefined) return
    this.#asking -= granted
    this.assume(granted, wanted, jobId)
  }

  /** A job that was granted so many of the wanted tokens, by this attempt or an earlier one; `known` if it has told by then. */
  assume(granted: number, wanted: number, jobId: string, known?: JobSnapshot): void {
    if (this.#remaining === undefined) return
    if (granted > 0 && granted < wanted) this.#cut.set(jobId, granted)
    this.#open.set(jobId, { granted, rest: granted })
    this.#rests += granted
    if (known !== undefined) this.#settle(known)
  }

  /** A job has told its counters: they count from now on. Answers whether the run has come to cost more than it may. */
  onSnapshot(snapshot: JobSnapshot): boolean {
    this.#settle(snapshot)
    if (this.#remaining === undefined || this.#spent() <= this.#remaining.tokens) return false
    this.#denied = true
    return true
  }

  /** Whether something was kept back: a submission, the rest of a job, or pages of a job cut short that has reached its limit. */
  hasKeptBack(jobs: ReadonlyArray<JobSnapshot>): boolean {
    return this.#denied || jobs.some(({ discovered, jobId }) => discovered >= (this.#cut.get(jobId) ?? Infinity))
  }

  /** The bound in force, in words. */
  get bound(): string {
    return this.#remaining === undefined ? "none" : describeRemaining(this.#remaining)
  }

  #settle(snapshot: JobSnapshot): void {
    const open = this.#open.get(snapshot.jobId)
    if (open === undefined) return
    const told = snapshot.tokensCharged + snapshot.tokensReserved
    const rest = this.#clamp && !isTerminal(snapshot.status) ? Math.max(0, open.granted - told) : 0
    this.#rests += rest - open.rest
    open.rest = rest
    if (isTerminal(snapshot.status)) this.#open.delete(snapshot.jobId)
  }

  #left(): number {
    return (this.#remaining?.tokens ?? 0) - this.#spent() - this.#asking - this.#rests
  }
}
