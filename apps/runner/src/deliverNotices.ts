import type { Ledger } from "@sluice/core"
import { Effect, type FileSystem, Option, type Path, Schedule } from "effect"
import { openRunsOf } from "./database.ts"
import { type NotifySettings, nameOf } from "./NotifySettings.ts"
import { tell } from "./Output.ts"
import type { PipelineFile } from "./PipelineFile.ts"
import { sendNotice } from "./sendNotice.ts"

/** Notices that are delivered at one go, and for how long at most: a run does not wait longer for who is told of another. */
const mostAtOnce = 100
const deliverWithin = "30 seconds"
/** Attempts of one notice at one go; those of the next start come on top. */
const attempts = 3

/**
 * Delivers what waits in the ledger of a pipeline, at least once each: before a run what an earlier process has left, after it what it
 * has to tell. Never fails: what cannot be delivered waits for the next run of the pipeline.
 */
export const deliverNotices = (loaded: PipelineFile): Effect.Effect<void, never, FileSystem.FileSystem | Path.Path> => {
  const { notify = [] } = loaded.machine
  return notify.length === 0
    ? Effect.void
    : Effect.flatMap(openRunsOf(Option.some(loaded)), (ledger) =>
        deliverPending(ledger, loaded.pipeline.name, notify)
      ).pipe(
        Effect.scoped,
        // Before the first run there is no ledger, and one that cannot be reached the run itself tells of.
        Effect.ignore,
        Effect.timeoutOrElse({
          duration: deliverWithin,
          orElse: () => tell("sluice: notices could not all be delivered in time; the next run tries again")
        })
      )
}

/** Delivers the pending notices of a ledger, one after the other, the oldest first. */
const deliverPending = Effect.fnUntraced(function* (ledger: Ledger, pipeline: string, targets: NotifySettings) {
  const { outbox } = ledger
  if (outbox === undefined) return
  for (const notice of yield* outbox.pending(pipeline, mostAtOnce)) {
    const target = targets.find((target) => nameOf(target) === notice.target)
    if (target === undefined) {
      yield* tell(
        `sluice: a notice of run ${notice.receipt.run_id} waits for "${notice.target}", which notify has no more`
      )
      yield* outbox.settle(notice.noticeId, false)
      continue
    }
    const sent = yield* Effect.result(
      Effect.retry(sendNotice(target, notice), { times: attempts - 1, schedule: Schedule.exponential("500 millis") })
    )
    yield* outbox.settle(notice.noticeId, sent._tag === "Success")
    if (sent._tag === "Failure") {
      yield* tell(
        `sluice: "${notice.target}" could not be told that run ${notice.receipt.run_id} is ${notice.event}: it ${sent.failure}; the next run tries again`
      )
    }
  }
})
