import { JobStatus } from "@sluice/contract"
import { looseWord, unreadable } from "../record/looseValues.ts"

/** Words that other servers and documents use for the states of a job. */
const otherWords: ReadonlyMap<string, JobStatus> = new Map<string, JobStatus>([
  ["pending", "queued"],
  ["waiting", "queued"],
  ["scheduled", "queued"],
  ["running", "processing"],
  ["in_progress", "processing"],
  ["in progress", "processing"],
  ["started", "processing"],
  ["active", "processing"],
  ["complete", "completed"],
  ["done", "completed"],
  ["finished", "completed"],
  ["success", "completed"],
  ["succeeded", "completed"],
  ["error", "failed"],
  ["errored", "failed"],
  ["failure", "failed"],
  ["canceled", "cancelled"],
  ["aborted", "cancelled"]
])

/**
 * The state of a job by its word, whatever its spelling. Where the word is missing or says nothing, a job that tells when it was
 * completed has completed; any other is still in work.
 */
export const jobState = (word: unknown, completedAt: unknown): JobStatus => {
  const state = looseWord(word, JobStatus.literals, otherWords)
  if (state !== null && state !== unreadable) return state
  return completedAt === undefined || completedAt === null || completedAt === "" ? "processing" : "completed"
}
