import type { PageRecord } from "../record/PageRecord.ts"

/** A run that is about to begin, for a sink to try out before anything is paid. */
export interface PlannedRun {
  readonly pipeline: string
  /** Pages such as the source may deliver, made up: none of them was asked for. */
  readonly samples: ReadonlyArray<PageRecord>
}
