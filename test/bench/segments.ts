import type { PageRecord } from "@sluice/core"
import { makePages, type Work } from "./pages.ts"

/** The work cut into segments, as a run would cut it. */
export interface Segments {
  readonly count: number
  /** The records of a segment of a job; made anew each time. */
  readonly of: (jobId: string, seq: number) => ReadonlyArray<PageRecord>
}

export const cutSegments = (work: Work, perSegment: number): Segments => {
  const recordOf = makePages(work)
  return {
    count: Math.ceil(work.pages / perSegment),
    of: (jobId, seq) =>
      Array.from({ length: Math.min(perSegment, work.pages - seq * perSegment) }, (_, n) =>
        recordOf(jobId, seq * perSegment + n)
      )
  }
}
