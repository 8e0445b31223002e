import { Deferred, Effect, Schedule, Stream } from "effect"
import type { PageRecord } from "../../record/PageRecord.ts"
import type { Segment } from "../../record/Segment.ts"
import type { SourceError } from "../../source/SourceError.ts"
import type { RunContext } from "../acquire/RunContext.ts"
import { batchRecords, type RunBounds } from "./batchRecords.ts"
import type { PolicyError } from "./PolicyError.ts"
import type { runPolicies } from "./runPolicies.ts"

/** A source that is being read, cut into segments. */
export interface SegmentReader<R> {
  readonly segments: Stream.Stream<Segment, PolicyError, R>
  /** The error the source ended with. The records it gave before are delivered all the same. */
  readonly failure: () => SourceError | undefined
  /** Ends the stream of segments after the records read so far. */
  readonly stop: Effect.Effect<void>
  readonly isStopped: () => boolean
}

/** Reads records and cuts them into segments within bounds, the last of which carries the final counters of the jobs. */
export const readSegments = <R>(
  records: Stream.Stream<PageRecord, SourceError, R>,
  { run, tracker }: Pick<RunContext, "run" | "tracker">,
  options: { readonly bounds: RunBounds; readonly policies: ReturnType<typeof runPolicies> }
): SegmentReader<R> => {
  const { bounds, policies } = options
  const stopping = Deferred.makeUnsafe<void>()
  let failure: SourceError | undefined
  const untilFailure = Stream.catch(records, (error) =>
    Stream.suspend(() => {
      failure = error
      return Stream.empty
    })
  )
  const segments = untilFailure.pipe(
    Stream.interruptWhen(Deferred.await(stopping)),
    Stream.mapArrayEffect((records) => policies.admit(records)),
    Stream.aggregateWithin(batchRecords(bounds), Schedule.spaced(bounds.delayMs)),
    Stream.map(({ bytes, records }) => tracker.segment(run, records, bytes)),
    Stream.concat(Stream.suspend(() => Stream.succeed(tracker.segment(run, [], 0)))),
    Stream.filter((segment) => segment !== undefined)
  )
  return {
    segments,
    failure: () => failure,
    stop: Effect.asVoid(Deferred.succeed(stopping, undefined)),
    isStopped: () => Deferred.isDoneUnsafe(stopping)
  }
}
