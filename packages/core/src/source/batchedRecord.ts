import type { PageRecord } from "../record/PageRecord.ts"
import { type Recognised, readBatchItem } from "./JobItem.ts"
import { recordOfItem } from "./recordOfItem.ts"

/** The record of a terminal item of a batch, known by its place in the request. */
export const batchedRecord = (
  {
    inputIndex,
    jobId,
    key,
    status,
    url
  }: Pick<PageRecord, "jobId" | "key" | "url" | "inputIndex"> & Pick<Recognised, "status">,
  raw: unknown
): PageRecord => {
  const read = readBatchItem(raw)
  const links = read.item?.data?.links ?? null
  const place = { jobId, key, inputIndex, parentUrl: null, depth: null, links }
  return recordOfItem(place, { ...read.item, url, status }, read)
}
