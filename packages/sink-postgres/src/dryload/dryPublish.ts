import type { RunHandle } from "@sluice/core/sink"
import { Effect } from "effect"
import type { Database } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { makeRunId } from "../ledger/RunId.ts"
import type { PostgresSinkConfig } from "../PostgresSinkConfig.ts"
import { registerSet, type SetRefusal, setOf } from "../pages/PageSets.ts"
import { openSet, swapIn } from "../pages/ReplaceSet.ts"
import { publishHistory } from "../publish/PublishHistory.ts"
import { sweepSets } from "../publish/SweepSets.ts"

/** Does what publishing a run does, with what a dry load has put into a set of its own. */
export const dryPublish = Effect.fnUntraced(function* (
  nested: Database,
  config: PostgresSinkConfig,
  run: RunHandle
): Effect.fn.Return<void, DatabaseError | SetRefusal> {
  if (config.mode === "replace") {
    // The run after it takes its place, and what it has loaded is removed.
    const next = { ...run, runId: yield* makeRunId(run.startedAt) }
    yield* openSet(nested, setOf(config, next, null))
    for (const each of [run, next]) yield* publishSet(nested, setOf(config, each, null))
    yield* sweepSets(nested, setOf(config, next, null))
  }
  if (config.mode === "history") {
    yield* nested.transaction((tx) =>
      Effect.gen(function* () {
        const { setNo } = yield* registerSet(tx, setOf(config, run, null))
        // It has seen no page, so the one that is there is closed.
        yield* publishHistory(tx, setNo, run, { seen: [], isExhaustive: true, closeAfter: 1 })
      })
    )
  }
})

const publishSet = (nested: Database, set: ReturnType<typeof setOf>) =>
  nested.transaction((tx) =>
    Effect.gen(function* () {
      const { setNo } = yield* registerSet(tx, set)
      yield* swapIn(tx, set, { setNo, completed: 1 })
    })
  )
