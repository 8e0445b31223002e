import { makeRng, type Rng } from "./Rng.ts"

/** Which of the requests a rule is for have its fault. Every given condition must hold. */
export interface FaultTiming {
  /** Only the requests with these numbers, counted from 1 among those the rule is for. */
  readonly nth?: ReadonlyArray<number>
  /** The chance of each such request, 0 to 1, by the server's seed. */
  readonly probability?: number
  /** How often at most. */
  readonly times?: number
}

interface Entry<Rule> {
  readonly rule: Rule
  readonly next: Rng
  matched: number
  played: number
}

/** Rules about requests still to come, of which the first that applies is taken. */
export class RulePlan<Rule extends FaultTiming> {
  readonly #seed: number
  readonly #entries: Array<Entry<Rule>> = []

  constructor(seed: number, rules: ReadonlyArray<Rule> = []) {
    this.#seed = seed
    this.add(...rules)
  }

  /** Adds rules behind those that are there. They count requests from now on. */
  add(...rules: ReadonlyArray<Rule>): void {
    for (const rule of rules) {
      this.#entries.push({ rule, next: makeRng(this.#seed, "fault", this.#entries.length), matched: 0, played: 0 })
    }
  }

  /** Drops all rules. */
  clear(): void {
    this.#entries.length = 0
  }

  /** @internal Counts a request, and answers the rule that is due. */
  protected next(isFor: (rule: Rule) => boolean): Rule | undefined {
    let taken: Rule | undefined
    for (const entry of this.#entries) {
      const { rule } = entry
      if (!isFor(rule)) continue
      entry.matched++
      // every rule counts and rolls, so one rule does not shift another
      const hit = rule.probability === undefined || entry.next() < rule.probability
      if (taken !== undefined || !hit) continue
      if (rule.nth !== undefined && !rule.nth.includes(entry.matched)) continue
      if (rule.times !== undefined && entry.played >= rule.times) continue
      entry.played++
      taken = rule
    }
    return taken
  }
}
