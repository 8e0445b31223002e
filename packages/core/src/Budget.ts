import { Schema } from "effect"

/**
 * What a run may cost at most, in tokens. With `clamp` (the default) what is asked for is cut so that it cannot cost more;
 * without, a job that comes to cost more is cancelled as soon as its counters say so, and what was paid for is landed.
 */
export const Budget = Schema.Struct({
  tokens: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  clamp: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "Budget", description: "What a run may cost at most." })
export type Budget = typeof Budget.Type
