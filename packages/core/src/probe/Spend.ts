import type { Step } from "./ProbeLog.ts"

/** What a probe has spent by step, as the API says it or, where it does not say, as much as the step may have cost. */
export class Spend {
  readonly bound: number
  readonly #charged = new Map<Step, number>()

  constructor(bound: number) {
    this.bound = bound
  }

  get total(): number {
    return [...this.#charged.values()].reduce((sum, tokens) => sum + tokens, 0)
  }

  get left(): number {
    return Math.max(0, this.bound - this.total)
  }

  /** Whether a step that may cost so much keeps within the bound. */
  admits(tokens: number): boolean {
    return tokens <= this.left
  }

  /** What a step has cost. */
  of(step: Step): number {
    return this.#charged.get(step) ?? 0
  }

  /** Sets what a step has cost. */
  charge(step: Step, tokens: number): void {
    this.#charged.set(step, tokens)
  }
}
