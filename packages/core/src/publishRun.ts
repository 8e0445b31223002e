import { Effect, Stream } from "effect"
import type { Begun } from "./beginRun.ts"
import type { JobSnapshot } from "./JobSnapshot.ts"
import type { KeySet } from "./KeySet.ts"
import type { LedgerError } from "./Ledger.ts"
import { Publication } from "./Publication.ts"
import type { RunStatus } from "./Receipt.ts"
import type { SinkError } from "./Sink.ts"
import type { Source } from "./Source.ts"

/** A run to publish. */
export interface PublishOptions {
  readonly source: Source
  readonly status: RunStatus
  /** The pages no sink was given. */
  readonly leftOut: KeySet
  readonly retried: <A>(publish: Effect.Effect<A, SinkError | LedgerError>) => Effect.Effect<A, SinkError | LedgerError>
}

/** Publishes a run in each of its sinks: one that has completed, or one that ended before where a sink shows those as well. */
export const publishRun = (
  { lease, ledger, run, targets, tracker }: Begun,
  { leftOut, retried, source, status }: PublishOptions
): Effect.Effect<void, SinkError | LedgerError> =>
  Effect.forEach(
    targets,
    ({ name, session }) => {
      const publish = status === "completed" ? session.publish : session.publishEnded
      if (publish === undefined) return Effect.void
      const segments = ledger.committed(run.runId, name)
      return retried(
        Effect.provideService(publish, Publication, {
          store: ledger.store,
          status,
          segments,
          seen: Stream.concat(
            Stream.flatMap(segments, ({ keys }) => Stream.fromIterable(keys.map((held) => held.keys))),
            Stream.suspend(() => Stream.succeed(BigInt64Array.from(leftOut)))
          ),
          isWhole: !mayBeCut(source, tracker.jobs),
          proveHeld: ledger.renew(run, lease)
        })
      )
    },
    { discard: true }
  )

/** Which pages a crawl left out that has reached its limit is chance; and servers have limits of their own where none is named. */
const mayBeCut = ({ crawl }: Source, jobs: ReadonlyArray<JobSnapshot>): boolean =>
  crawl !== undefined && jobs.some(({ discovered }) => crawl.limit === undefined || discovered >= crawl.limit)
