import { Effect, Schedule } from "effect"
import type { LedgerError } from "../../ledger/Ledger.ts"
import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import { withoutUnknown } from "../../record/Drift.ts"
import { countFailures } from "../../record/PageFailures.ts"
import type { PageRecord } from "../../record/PageRecord.ts"
import { tallyOf } from "../../record/Tally.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import type { RunContext, SinkTarget } from "../acquire/RunContext.ts"
import { type SegmentForSink, toCommit, withoutHeldKeys } from "./SegmentForSink.ts"

/** The longest pause before a store that broke off is tried again. */
const longestPause = "10 seconds"

/** Whether a store that broke off may be back: what failed is done again, which changes nothing if it was done. */
export const isTransient = (error: SinkError | LedgerError): boolean =>
  error._tag === "SinkError" ? error.isRetryable : error.reason._tag === "LedgerUnavailable"

/** Does work again that broke off, so many times; for longer while that is worth while, where it is a sink that broke off. */
export const retryTransient = <A, E extends SinkError | LedgerError>(
  work: Effect.Effect<A, E>,
  times: number,
  isWorthWhile: () => boolean = () => false
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    let tries = 0
    return Effect.retry(work, {
      schedule: Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced(longestPause)]).pipe(
        Schedule.jittered
      ),
      while: (error) => isTransient(error) && (tries++ < times || (error._tag === "SinkError" && isWorthWhile()))
    })
  })

/** What sinks are given of a segment's records: what the pipeline's transforms make of them. */
export const transformer = ({ drift, transforms }: PipelineDefinition) => {
  const transformed = (record: PageRecord): PageRecord | null => {
    if (record.refusal !== null) return record
    let current: PageRecord | null = drift === "ignore" ? withoutUnknown(record) : record
    for (const transform of transforms) {
      current = transform.apply(current)
      if (current === null) return null
    }
    return current
  }
  return (records: ReadonlyArray<PageRecord>): ReadonlyArray<PageRecord> =>
    transforms.length === 0 && drift !== "ignore"
      ? records
      : records.map(transformed).filter((record) => record !== null)
}

/** Writes a segment to a sink, commits it and counts it. */
export type SegmentWriter = (
  target: SinkTarget,
  prepared: SegmentForSink,
  isWorthWhile?: () => boolean
) => Effect.Effect<void, SinkError | LedgerError>

const pagesIn = ({ keys }: SegmentForSink): number => keys.reduce((sum, held) => sum + held.keys.length, 0)

/** Writes segments of a run; what breaks off is tried again so many times. */
export const segmentWriter =
  ({ ledger, tracker }: Pick<RunContext, "ledger" | "tracker">, times: number): SegmentWriter =>
  ({ heldKeys: held, name, session }, prepared, isWorthWhile) => {
    const missing = withoutHeldKeys(prepared, held)
    const { jobs, records } = missing.segment
    let tally = tallyOf(records)
    return retryTransient(
      session.write(missing.segment, {
        store: ledger.store,
        run: (result, within) => {
          tally = tallyOf(records, result.quarantined)
          return ledger.commit(toCommit(missing, name, { ...result, tally }), within)
        }
      }),
      times,
      isWorthWhile
    ).pipe(
      Effect.tap((result) =>
        Effect.sync(() => {
          const failures = countFailures(missing.failed)
          tracker.addLoaded(name, { ...result, tally, failures }, jobs, pagesIn(missing))
        })
      ),
      Effect.asVoid
    )
  }
