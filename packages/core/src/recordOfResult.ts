import { batchedRecord } from "./Batch.ts"
import { crawledRecord } from "./Crawl.ts"
import { recognise } from "./JobItem.ts"
import type { JobKind } from "./JobSnapshot.ts"
import type { PageRecord } from "./PageRecord.ts"

/**
 * The record of a result that was set aside because it did not fit the contract, read again by the contract of this build.
 * Undefined where the result is of no kind that is read item by item.
 */
export const recordOfResult = (
  kind: JobKind,
  page: Pick<PageRecord, "jobId" | "key" | "url">,
  raw: unknown
): PageRecord | undefined => {
  const said = recognise(raw)
  if (said === undefined) return undefined
  const { inputIndex = null, status } = said
  if (kind === "crawl") return crawledRecord({ ...page, status }, raw)
  return kind === "batch" ? batchedRecord({ ...page, inputIndex, status }, raw) : undefined
}
