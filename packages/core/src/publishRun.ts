import { Effect, Stream } from "effect"
import type { Begun } from "./beginRun.ts"
import type { JobSnapshot } from "./JobSnapshot.ts"
import type { KeySet } from "./KeySet.ts"
import type { LedgerError } from "./Ledger.ts"
import { Publication } from "./Publication.ts"
import type { SinkError } from "./Sink.ts"
import type { Source } from "./Source.ts"

/** Publishes a completed run in each of its sinks; `leftOut` are the pages no sink was given. */
export const publishRun = (
  { ledger, run, targets, tracker }: Begun,
  source: Source,
  leftOut: KeySet,
  retried: <A>(publish: Effect.Effect<A, SinkError | LedgerError>) => Effect.Effect<A, SinkError | LedgerError>
): Effect.Effect<void, SinkError | LedgerError> =>
  Effect.forEach(
    targets,
    ({ name, session }) =>
      retried(
        Effect.provideService(session.publish, Publication, {
          store: ledger.store,
          seen: Stream.concat(
            Stream.map(ledger.committed(run.runId, name), ({ keys }) => keys),
            Stream.suspend(() => Stream.succeed(BigInt64Array.from(leftOut)))
          ),
          isWhole: !mayBeCut(source, tracker.jobs)
        })
      ),
    { discard: true }
  )

/** Which pages a crawl left out that has reached its limit is chance; and servers have limits of their own where none is named. */
const mayBeCut = ({ crawl }: Source, jobs: ReadonlyArray<JobSnapshot>): boolean =>
  crawl !== undefined && jobs.some(({ discovered }) => crawl.limit === undefined || discovered >= crawl.limit)
