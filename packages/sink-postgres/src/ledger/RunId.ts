import { Effect } from "effect"
import { v7 } from "uuid"

/** A run ID: a UUID of version 7, so IDs of later runs sort after those of earlier ones. `milliseconds` is when the run began. */
export const makeRunId = (milliseconds: number): Effect.Effect<string> =>
  Effect.sync(() => v7({ msecs: Math.trunc(milliseconds) }))
