import { Effect, Schema } from "effect"

const minimumOfGiven = 100

/**
 * How much of a run may become dead letters. A run in which more than `max_share` of a sink's records did is loaded and not
 * published. With fewer records than `min_records` it is judged only where all of them did.
 */
const QuarantineBound = Schema.Struct({
  max_share: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
  min_records: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).pipe(
    Schema.withDecodingDefaultTypeKey(Effect.succeed(minimumOfGiven))
  )
})

/** The bound, or `off` where all of a run may become dead letters. */
export const Quarantine = Schema.Union([QuarantineBound, Schema.Literal("off")]).annotate({
  identifier: "Quarantine",
  description:
    "How much of a run may become dead letters before it is not published: 10 % of at least 20 records when absent; `off` lifts the bound."
})
export type Quarantine = typeof Quarantine.Type

/** The bound of a pipeline that names none. */
export const standardQuarantine: Quarantine = { max_share: 0.1, min_records: 20 }
