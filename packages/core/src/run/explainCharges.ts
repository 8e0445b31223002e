/** Tokens that work of ours was charged on days from one to another, both included, counted from the first day that is compared. */
export interface ExpectedCharge {
  readonly from: number
  readonly to: number
  readonly tokens: number
  /** Whether it has been charged so many, all on days that are compared; it may have been, otherwise. */
  readonly isCertain: boolean
}

/** A day's charges beside those that work of ours explains. */
export interface ExplainedDay {
  readonly charged: number
  readonly explained: number
  /** Tokens that are certain to have been charged by this day at the latest and that no day shows. */
  readonly missing: number
}

interface Open {
  readonly to: number
  tokens: number
}

/**
 * Explains all charges that can be explained. What may have been charged on one of several days is taken for whichever day wants it: on
 * each day what has to be explained soonest goes first, and what is certain before what is not, which leaves the least over.
 */
export const explainCharges = (
  charged: ReadonlyArray<number>,
  expected: ReadonlyArray<ExpectedCharge>
): ReadonlyArray<ExplainedDay> => {
  const rests = [...charged]
  const missing = charged.map(() => 0)
  const last = charged.length - 1
  for (const isCertain of [true, false]) {
    const starting = Map.groupBy(
      expected.filter((charge) => charge.isCertain === isCertain && charge.to >= 0 && charge.from <= last),
      ({ from }) => Math.max(0, from)
    )
    let open: Array<Open> = []
    for (const day of rests.keys()) {
      open = [...open, ...together(starting.get(day) ?? [], last)].sort((a, b) => a.to - b.to)
      for (const charge of open) {
        const taken = Math.min(charge.tokens, rests[day]!)
        charge.tokens -= taken
        rests[day]! -= taken
      }
      const over = open.filter(({ to, tokens }) => to === day && tokens > 0)
      if (isCertain) missing[day] = over.reduce((sum, { tokens }) => sum + tokens, 0)
      open = open.filter(({ to, tokens }) => to > day && tokens > 0)
    }
  }
  return charged.map((tokens, day) => ({ charged: tokens, explained: tokens - rests[day]!, missing: missing[day]! }))
}

/** Charges of the same last day as one: their number grows with the days, not with the jobs. */
const together = (charges: ReadonlyArray<ExpectedCharge>, last: number): ReadonlyArray<Open> =>
  [...Map.groupBy(charges, ({ to }) => Math.min(to, last))].map(([to, of]) => ({
    to,
    tokens: of.reduce((sum, { tokens }) => sum + tokens, 0)
  }))
