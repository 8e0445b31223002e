import type { JobSnapshot } from "../record/JobSnapshot.ts"

/** What the counters of a job that was read to its end leave to be explained, a sentence each. */
export const notesOn = (
  jobId: string,
  snapshot: Pick<JobSnapshot, "discovered"> | undefined,
  delivered: number,
  fell: { readonly from: number; readonly to: number } | undefined
): ReadonlyArray<string> => {
  const discovered = snapshot?.discovered ?? 0
  const notes: Array<string> = []
  if (fell !== undefined) {
    notes.push(
      `job ${jobId} counted or charged ${fell.from} ended pages at first and counted ${fell.to} in the end; ${delivered} were delivered`
    )
  }
  if (delivered < discovered) {
    notes.push(
      `job ${jobId} counts ${discovered} discovered pages, and ended with ${delivered} of them: the others were never fetched`
    )
  }
  if (delivered > discovered) {
    notes.push(
      `job ${jobId} counts ${discovered} discovered pages, and listed ${delivered} that had ended: all were delivered`
    )
  }
  return notes
}
