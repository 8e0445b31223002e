import { DateTime, Effect } from "effect"
import type { RunHandle } from "../../ledger/Ledger.ts"
import type { LedgerDoubt, MarkPlace, RunMark } from "../../ledger/RunMark.ts"

/** Where the high-water mark of a pipeline's runs is kept, and the name of the ledger it is of. */
export interface MarkOptions {
  readonly ledger: string
  readonly places: ReadonlyArray<MarkPlace>
}

/** The high-water mark of a run. */
export interface RunMarker {
  /** What the places remember of the pipeline, all together. A place that cannot be read is told of and has no say. */
  readonly read: Effect.Effect<ReadonlyArray<RunMark>>
  /**
   * Notes that the run has made so many submissions, the one that is about to leave included. It is written for the first one and
   * whenever their number has doubled: a list of a thousand URLs costs eleven writes.
   */
  readonly advance: (submissions: number, doubt: LedgerDoubt | undefined) => Effect.Effect<void>
  /** Writes what was noted and not written. */
  readonly flush: Effect.Effect<void>
}

/** Keeps the mark of a run. What cannot be written is told of once, and hinders nothing: the ledger itself is whole. */
export const makeRunMarker = ({ ledger, places }: MarkOptions, run: RunHandle): RunMarker => {
  let noted: RunMark | undefined
  let written = 0
  let hasFailed = false

  const write = (mark: RunMark): Effect.Effect<void> =>
    Effect.forEach(
      places,
      (place) =>
        Effect.catch(place.write(run.pipeline, mark), (error) =>
          Effect.suspend(() => {
            if (hasFailed) return Effect.void
            hasFailed = true
            return Effect.logWarning(
              `the mark of this run could not be written, so a ledger that loses the run is not noticed: ${error.message}`
            )
          })
        ),
      { discard: true }
    )

  return {
    read: Effect.map(
      Effect.forEach(places, (place) =>
        Effect.catch(place.read(run.pipeline), (error) =>
          Effect.as(Effect.logWarning(`the mark of the last run could not be read: ${error.message}`), [])
        )
      ),
      (marks) => marks.flat()
    ),
    advance: (submissions, doubt) =>
      Effect.suspend(() => {
        noted = {
          ledger,
          run_id: run.runId,
          started_at: DateTime.formatIso(DateTime.makeUnsafe(run.startedAt)),
          submissions,
          ...(doubt === undefined ? {} : { doubt })
        }
        if (submissions < 2 * written) return Effect.void
        written = submissions
        return write(noted)
      }),
    flush: Effect.suspend(() => {
      if (noted === undefined || noted.submissions === written) return Effect.void
      written = noted.submissions
      return write(noted)
    })
  }
}
