import { randomUUID } from "node:crypto"
import { JobId } from "@sluice/contract"

const ownPrefix = "sync-"
const refusedPrefix = `${ownPrefix}refused-`

/** A job ID of ours, for work that the API made no job of: a page that came at once, a lost answer, a map. */
export const ownJobId = (): JobId => JobId.make(`${ownPrefix}${randomUUID()}`)

/** A job ID of ours for URLs that were refused, of which the API has no job. */
export const refusedJobId = (): JobId => JobId.make(`${refusedPrefix}${randomUUID()}`)

/** The same for the URLs that a job of several refused: the job's own counters do not count them. */
export const refusedBy = (jobId: JobId): JobId => JobId.make(`${refusedPrefix}${jobId}`)

/** Whether a job ID is one of ours: the API has no such job. */
export const isOwnId = (jobId: string): boolean => jobId.startsWith(ownPrefix)

/** Whether a job ID is one of ours for refused URLs. */
export const isRefusedId = (jobId: string): boolean => jobId.startsWith(refusedPrefix)
