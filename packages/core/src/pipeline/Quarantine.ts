import { Effect, Schema } from "effect"

const standardMinimum = 100

/**
 * How much of a run may be set aside: when more than `max_share` of its records have been, the run fails. It is not judged
 * before it has so many records as `min_records` says.
 */
export const Quarantine = Schema.Struct({
  max_share: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
  min_records: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).pipe(
    Schema.withDecodingDefaultTypeKey(Effect.succeed(standardMinimum))
  )
}).annotate({ identifier: "Quarantine", description: "How much of a run may be set aside before it fails." })
export type Quarantine = typeof Quarantine.Type
