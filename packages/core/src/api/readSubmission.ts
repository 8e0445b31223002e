import { isTerminal, type JobId, type JobStatus } from "@sluice/contract"
import { Effect, type Schema } from "effect"
import { looseInteger } from "../record/looseValues.ts"
import { idOf, isMembers, type Members, membersOf, misfit } from "./answerFrame.ts"
import { jobState } from "./jobState.ts"
import { refusedUrls } from "./refusedUrls.ts"
import type { Unreadable } from "./ScraperError.ts"

/**
 * The id of a job that was made, by whichever member names it. A number is one, unless the status is no text either: such an
 * answer may be about anything, and the job is looked for in the list instead.
 */
const acceptedId = ({ id, job_id: jobId, status, status_url: statusUrl }: Members): JobId | undefined => {
  const isOdd = status !== undefined && status !== null && typeof status !== "string"
  return [jobId, id, lastSegment(statusUrl)]
    .filter((named) => typeof named === "string" || !isOdd)
    .map(idOf)
    .find((named) => named !== "")
}

/** Parts of a path that are no id. */
const pathNames = new Set(["v1", "crawl", "batch", "extract", "map", "jobs", "status"])

const lastSegment = (url: unknown): string | undefined =>
  typeof url === "string"
    ? url
        .split(/[?#]/)[0]
        ?.split("/")
        .findLast((part) => part !== "" && !pathNames.has(part))
    : undefined

/** A job that was taken on: all that counts is its id. */
export const accepted = (raw: unknown): Effect.Effect<{ readonly jobId: JobId }, Unreadable> =>
  Effect.flatMap(membersOf(raw), (members) => {
    const jobId = acceptedId(members)
    return jobId === undefined ? misfit('["job_id"]') : Effect.succeed({ jobId })
  })

/** A batch that was taken on, and what it has refused. */
export const acceptedBatch = (raw: unknown) =>
  Effect.map(accepted(raw), (job) => ({
    ...job,
    invalidUrls: refusedUrls(isMembers(raw) ? raw.invalid_urls : undefined)
  }))

/** What an extraction was answered with: a job to poll, the page itself, or both. */
export interface StartedExtraction {
  readonly jobId?: JobId
  /** How it ended, where it has. */
  readonly ended?: EndedAnswer
}

/** An extraction that has ended, as it came. */
export interface EndedAnswer {
  readonly status: JobStatus
  /** What it has cost: as it says, or one token for a page that has completed. */
  readonly tokensCharged: number
  readonly raw: Schema.Json
}

const pageMembers = ["data", "metadata", "tokens_charged", "error"] as const

/**
 * The answer to an extraction that was asked for. It is the page itself, whichever way was asked for, where it holds one or says
 * that it failed; a job that is still in work is polled.
 */
export const startedExtraction = (raw: unknown): Effect.Effect<StartedExtraction, Unreadable> =>
  Effect.flatMap(membersOf(raw), (members) => {
    const jobId = acceptedId(members)
    const isPage = pageMembers.some((member) => members[member] !== undefined && members[member] !== null)
    const status = extractionState(members, isPage ? "completed" : "processing")
    const hasEnded = isPage && isTerminal(status)
    if (jobId === undefined && !hasEnded) return misfit('["job_id"]')
    return Effect.succeed({
      ...(jobId === undefined ? {} : { jobId }),
      ...(hasEnded ? { ended: endedAnswer(members, status) } : {})
    })
  })

/** What is kept of it says how it ended in the contract's own word. */
const endedAnswer = (members: Members, status: JobStatus): EndedAnswer => ({
  status,
  tokensCharged: tokensOf(members, status),
  raw: (members.status === status ? members : { ...members, status }) as Schema.Json
})

const tokensOf = ({ tokens_charged: charged }: Members, status: JobStatus): number => {
  const tokens = looseInteger(charged, false)
  return typeof tokens === "number" && tokens >= 0 ? tokens : status === "completed" ? 1 : 0
}

/** An answer without a status has failed where it says why. */
const extractionState = ({ completed_at: completedAt, error, status }: Members, otherwise: JobStatus): JobStatus => {
  if (typeof status === "string") return jobState(status, completedAt)
  if (error !== undefined && error !== null) return "failed"
  return otherwise
}

/** How far an extraction has come; `raw` is its answer as it came. */
export const extractionAnswer = (raw: unknown): Effect.Effect<{ readonly job_id: JobId } & EndedAnswer, Unreadable> =>
  Effect.flatMap(membersOf(raw), (members) => {
    const { completed_at: completedAt, data, status } = members
    if (typeof status !== "string" && (data === undefined || data === null) && members.job_id === undefined)
      return misfit('["status"]')
    const isCompleted = (data !== undefined && data !== null) || (completedAt !== undefined && completedAt !== null)
    const state = extractionState(members, isCompleted ? "completed" : "processing")
    return Effect.succeed({ job_id: idOf(members.job_id), ...endedAnswer(members, state) })
  })
