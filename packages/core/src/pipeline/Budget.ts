import { Schema } from "effect"

const Tokens = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

const bounds = {
  /** A run of the pipeline. */
  tokens: Schema.optionalKey(Tokens),
  /** All its runs that began on one day, by UTC. */
  per_day: Schema.optionalKey(Tokens),
  /** All its runs that began in one month, by UTC. */
  per_month: Schema.optionalKey(Tokens),
  /** All its runs together. */
  per_pipeline: Schema.optionalKey(Tokens)
}

/** A bound of a budget, by its name in a pipeline file. */
export type BudgetBound = keyof typeof bounds

/**
 * What a pipeline may cost at most, in tokens: a run, and all its runs that began on one day or in one month (UTC), or ever,
 * as the ledger knows them. With `clamp` (the default) what is asked for is cut so that it cannot cost more; without, a job
 * that costs more is cancelled as soon as its counters say so, and what was paid for is loaded.
 */
export const Budget = Schema.Struct({ ...bounds, clamp: Schema.optionalKey(Schema.Boolean) })
  .check(
    Schema.makeFilter(({ clamp: _, ...given }) => Object.keys(given).length > 0, {
      expected: "at least one of tokens, per_day, per_month and per_pipeline"
    })
  )
  .annotate({ identifier: "Budget", description: "What the pipeline may cost at most, in tokens." })
export type Budget = typeof Budget.Type
