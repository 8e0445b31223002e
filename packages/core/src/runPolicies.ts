import { Array as Arr, Effect } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import { namesIn } from "./Drift.ts"
import type { PipelineDefinition } from "./makePipeline.ts"
import { type PageRecord, weigh } from "./PageRecord.ts"
import { Drifted, PolicyError, TooManySetAside } from "./PolicyError.ts"
import type { RunTracker } from "./RunTracker.ts"

/** Holds what a run is given, and what becomes of it, against the policies of its pipeline. */
export const runPolicies = (
  { drift, quarantine }: Pick<PipelineDefinition, "drift" | "quarantine">,
  tracker: RunTracker
) => ({
  /** Counts records as delivered and lets them through, without what nobody knows where that is ignored. */
  admit: (
    records: NonEmptyReadonlyArray<PageRecord>
  ): Effect.Effect<NonEmptyReadonlyArray<PageRecord>, PolicyError> => {
    const admitted = drift === "ignore" ? Arr.map(records, withoutExtra) : records
    for (const record of admitted) {
      if (record.extra !== null && drift === "fail") {
        return Effect.fail(new PolicyError({ reason: new Drifted({ members: namesIn(record.extra) }) }))
      }
      tracker.deliver(record)
    }
    return Effect.succeed(admitted)
  },

  /** Fails once a sink has set aside more of the run than may be. */
  proveShare: (sink: string): Effect.Effect<void, PolicyError> =>
    Effect.suspend(() => {
      if (quarantine === undefined) return Effect.void
      const { deadLetters: setAside, rows } = tracker.landed(sink)
      const records = rows.pages + setAside
      const { max_share: maxShare, min_records: fewest } = quarantine
      if (records < fewest || setAside <= maxShare * records) return Effect.void
      return Effect.fail(new PolicyError({ reason: new TooManySetAside({ sink, setAside, records, maxShare }) }))
    }),

  /** Says once what of the results is not known. */
  report: Effect.suspend(() =>
    tracker.drift.length === 0
      ? Effect.void
      : Effect.logWarning(
          `the API's results have members that are not known here; they are kept with their pages: ${tracker.drift.join(", ")}`
        )
  )
})

const withoutExtra = (record: PageRecord): PageRecord => {
  if (record.extra === null) return record
  const without = { ...record, extra: null }
  return { ...without, bytes: weigh(without) }
}
