import { Effect } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import { driftOf, withoutUnknown } from "../../record/Drift.ts"
import type { PageRecord } from "../../record/PageRecord.ts"
import type { RunTracker } from "../acquire/RunTracker.ts"
import { Drifted, PolicyError } from "./PolicyError.ts"

/** Compares what a run is given with the policies of its pipeline. */
export const runPolicies = ({ drift }: Pick<PipelineDefinition, "drift">, tracker: RunTracker) => ({
  /** Counts records as delivered and forwards them, unless drift ends the run. */
  admit: (
    records: NonEmptyReadonlyArray<PageRecord>
  ): Effect.Effect<NonEmptyReadonlyArray<PageRecord>, PolicyError> => {
    for (const record of records) {
      if (record.extra !== null && drift === "fail") {
        return Effect.fail(new PolicyError({ reason: new Drifted({ members: driftOf(record) }) }))
      }
      tracker.deliver(drift === "ignore" ? withoutUnknown(record) : record)
    }
    return Effect.succeed(records)
  },

  /** Says once what of the results is not known. */
  report: Effect.suspend(() =>
    tracker.drift.length === 0
      ? Effect.void
      : Effect.logWarning(
          `the API's results have members that are not known, or could not be read, here; they are kept with their pages: ${tracker.drift.join(", ")}`
        )
  )
})
