import { Effect, Stream } from "effect"
import type { LedgerError } from "../ledger/Ledger.ts"
import type { RunStatus } from "../ledger/Receipt.ts"
import type { JobSnapshot } from "../record/JobSnapshot.ts"
import { Publication } from "../sink/Publication.ts"
import type { SinkError } from "../sink/SinkError.ts"
import type { Source } from "../source/Source.ts"
import type { Begun, Target } from "./beginRun.ts"
import { retried } from "./segmentWriter.ts"

/** A run to publish. */
export interface PublishOptions {
  readonly source: Source
  readonly status: RunStatus
  /** The sinks that have taken everything. */
  readonly targets: ReadonlyArray<Target>
  /** Attempts beyond the first. */
  readonly times: number
}

/**
 * Publishes a run in each of its sinks: one that has completed, or one that ended before where a sink shows those as well. A sink
 * that fails keeps no other from publishing; the first failure is what this fails with in the end.
 */
export const publishRun = (
  { lease, ledger, run, tracker }: Begun,
  { source, status, targets, times }: PublishOptions
): Effect.Effect<void, SinkError | LedgerError> =>
  Effect.gen(function* () {
    let failure: SinkError | undefined
    for (const { name, session } of targets) {
      const publish = status === "completed" ? session.publish : session.publishEnded
      if (publish === undefined) continue
      const segments = ledger.committed(run.runId, name)
      const published = Effect.provideService(publish, Publication, {
        store: ledger.store,
        status,
        segments,
        seen: Stream.flatMap(segments, ({ keys }) => Stream.fromIterable(keys.map((held) => held.keys))),
        isWhole: !mayBeCut(source, tracker.jobs),
        proveHeld: ledger.renew(run, lease)
      })
      yield* retried(published, times).pipe(
        Effect.catchTag("SinkError", (error) =>
          Effect.sync(() => {
            failure ??= error
          })
        )
      )
    }
    if (failure !== undefined) return yield* failure
  })

/** Which pages a crawl left out that has reached its limit is chance; and servers have limits of their own where none is named. */
const mayBeCut = ({ crawl }: Source, jobs: ReadonlyArray<JobSnapshot>): boolean =>
  crawl !== undefined && jobs.some(({ discovered }) => crawl.limit === undefined || discovered >= crawl.limit)
