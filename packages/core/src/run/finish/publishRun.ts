import { Effect, Stream } from "effect"
import type { Ledger, LedgerError, RunHandle } from "../../ledger/Ledger.ts"
import type { RunStatus } from "../../ledger/Receipt.ts"
import type { JobSnapshot } from "../../record/JobSnapshot.ts"
import { Publication } from "../../sink/Publication.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import type { Source } from "../../source/Source.ts"
import { boundSource } from "../../source/sourceKinds.ts"
import type { SinkTarget } from "../acquire/RunContext.ts"
import { retryTransient } from "../deliver/SegmentWriter.ts"

/** A run that sinks may be told to publish. */
export interface Publishable {
  readonly run: RunHandle
  readonly ledger: Ledger
  readonly source: Source
  readonly status: RunStatus
  /** The latest snapshot of every job of the run. */
  readonly jobs: ReadonlyArray<JobSnapshot>
  /** Completed pages a sink holds of it. */
  readonly completedIn: (sink: string) => number
  /** Fails when another process has taken the run over. */
  readonly assertLease: Effect.Effect<void, LedgerError>
}

/** How a run is published. */
export interface PublishOptions {
  /** The sinks that have taken everything. */
  readonly targets: ReadonlyArray<Pick<SinkTarget, "name" | "session">>
  /** Attempts beyond the first. */
  readonly times: number
}

/** Gives a step of publishing what a sink may ask about the run. */
export const withPublication = <A, E>(
  step: Effect.Effect<A, E, Publication>,
  sink: string,
  { completedIn, jobs, ledger, assertLease, run, source, status }: Publishable
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const segments = ledger.committed(run.runId, sink)
    return Effect.provideService(step, Publication, {
      store: ledger.store,
      status,
      completed: completedIn(sink),
      isDistinct: jobs.length <= 1,
      segments,
      seenKeys: Stream.flatMap(segments, ({ keys }) => Stream.fromIterable(keys.map((held) => held.keys))),
      isExhaustive: boundSource(source).limitReached(jobs) === undefined,
      assertLease
    })
  })

/**
 * Publishes a run in each of its sinks: one that has completed, or one that ended before where a sink shows those as well. A sink
 * that fails keeps no other from publishing; the first failure is what this fails with in the end.
 */
export const publishRun = (
  publishable: Publishable,
  { targets, times }: PublishOptions
): Effect.Effect<void, SinkError | LedgerError> =>
  Effect.gen(function* () {
    let failure: SinkError | undefined
    for (const { name, session } of targets) {
      const publish = publishable.status === "completed" ? session.publish : session.publishEnded
      if (publish === undefined) continue
      yield* retryTransient(withPublication(publish, name, publishable), times).pipe(
        Effect.catchTag("SinkError", (error) =>
          Effect.sync(() => {
            failure ??= error
          })
        )
      )
    }
    if (failure !== undefined) return yield* failure
  })
