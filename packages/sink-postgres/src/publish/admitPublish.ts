import type { RunHandle } from "@sluice/core/sink"
import { Effect, Schema } from "effect"
import type { Database } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { wasFollowed } from "../dead-letters/pageSetsOfBatch.ts"
import type { PostgresSinkConfig } from "../PostgresSinkConfig.ts"
import { placeOf, type SetRefusal, setOf } from "../pages/PageSets.ts"
import { openSet } from "../pages/ReplaceSet.ts"

/** In `history`: a later run has been loaded, and what it saw is newer than what this one did not. */
export class RunFollowed extends Schema.TaggedError<RunFollowed>()("RunFollowed", { runId: Schema.String }) {
  get detail(): string {
    return `a later run of this pipeline has been loaded since run ${this.runId}, and what it saw is newer: publish that one, or let the next run be`
  }
  override get message(): string {
    return this.detail
  }
}

/** Refuses a run that was ended unpublished and cannot be published any more. */
export const admitPublish = Effect.fnUntraced(function* (
  database: Database,
  config: PostgresSinkConfig,
  run: RunHandle
): Effect.fn.Return<void, DatabaseError | SetRefusal | RunFollowed> {
  if (config.mode === "replace") yield* openSet(database, setOf(config, run, null))
  if (config.mode !== "history") return
  const place = placeOf({ pipeline: run.pipeline, sink: config.name })
  const [counted] = yield* database.query(
    "SELECT FROM page_sets WHERE pipeline = $1 AND sink = $2 AND mode = 'history' AND counted_run = $3::uuid",
    [...place, run.runId]
  )
  if (counted !== undefined) return
  if (yield* wasFollowed(database, { pipeline: place[0], sink: place[1], runId: run.runId })) {
    return yield* new RunFollowed({ runId: run.runId })
  }
})
