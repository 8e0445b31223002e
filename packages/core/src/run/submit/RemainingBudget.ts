import { DateTime, Effect } from "effect"
import type { Ledger, LedgerError, RunHandle } from "../../ledger/Ledger.ts"
import type { Budget, BudgetBound } from "../../pipeline/Budget.ts"

/** What a budget leaves a run: tokens, by whichever bound leaves least, and how much of that bound other runs have used. */
export interface RemainingBudget {
  readonly tokens: number
  readonly bound: BudgetBound
  readonly most: number
  readonly spentElsewhere: number
}

type Span = { readonly from?: number; readonly to?: number }

/** Bounds that other runs of the pipeline share, and which of them: those that began in the span a run began in. */
const spans: { readonly [Bound in Exclude<BudgetBound, "tokens">]: (startedAt: number) => Span } = {
  per_day: (startedAt) => around(startedAt, "day"),
  per_month: (startedAt) => around(startedAt, "month"),
  per_pipeline: () => ({})
}
const shared = Object.keys(spans) as ReadonlyArray<keyof typeof spans>

const around = (instant: number, part: "day" | "month"): Span => {
  const start = DateTime.startOf(DateTime.makeUnsafe(instant), part)
  const next = DateTime.add(start, part === "day" ? { days: 1 } : { months: 1 })
  return { from: start.epochMilliseconds, to: next.epochMilliseconds }
}

/** Whether other runs have a say in what a run may cost. */
export const isShared = (budget: Budget | undefined): boolean =>
  budget !== undefined && shared.some((bound) => budget[bound] !== undefined)

/**
 * What each bound of a budget leaves a run at this moment. A run counts for the day and the month it began in, whenever it ends: what
 * goes on past midnight goes on under the budget of the day before.
 */
export const budgetShares = Effect.fnUntraced(function* (
  budget: Budget | undefined,
  ledger: Pick<Ledger, "spent">,
  run: Pick<RunHandle, "pipeline" | "runId" | "startedAt">
): Effect.fn.Return<ReadonlyArray<RemainingBudget>, LedgerError> {
  const shares: Array<RemainingBudget> = []
  const add = (bound: BudgetBound, most: number, spentElsewhere: number) =>
    shares.push({ tokens: Math.max(0, most - spentElsewhere), bound, most, spentElsewhere })
  if (budget?.tokens !== undefined) add("tokens", budget.tokens, 0)
  for (const bound of shared) {
    const most = budget?.[bound]
    if (most === undefined) continue
    const span = spans[bound](run.startedAt)
    add(bound, most, yield* ledger.spent({ pipeline: run.pipeline, exceptRun: run.runId, ...span }))
  }
  return shares
})

/** What the budget leaves a run, by the bound that leaves least. */
export const remainingBudget = (
  budget: Budget | undefined,
  ledger: Pick<Ledger, "spent">,
  run: Pick<RunHandle, "pipeline" | "runId" | "startedAt">
): Effect.Effect<RemainingBudget | undefined, LedgerError> => Effect.map(budgetShares(budget, ledger, run), leastOf)

/** The share that leaves least. */
export const leastOf = (shares: ReadonlyArray<RemainingBudget>): RemainingBudget | undefined =>
  shares.reduce<RemainingBudget | undefined>(
    (least, share) => (least === undefined || share.tokens < least.tokens ? share : least),
    undefined
  )

const names: { readonly [Bound in BudgetBound]: string } = {
  tokens: "a run",
  per_day: "a day",
  per_month: "a month",
  per_pipeline: "for the pipeline"
}

/** The bound in words, as a receipt gives it for its reason. */
export const describeRemaining = ({ bound, most, spentElsewhere }: RemainingBudget): string => {
  const elsewhere = bound === "tokens" ? "" : `, of which other runs have used ${spentElsewhere}`
  return `${most} tokens ${names[bound]}${elsewhere}`
}
