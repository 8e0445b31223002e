import type { JobKind } from "../record/JobSnapshot.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import { batchedRecord } from "./batchedRecord.ts"
import { crawledRecord } from "./Crawl.ts"
import { extractedAnswer } from "./extractedRecord.ts"
import { recognise } from "./JobItem.ts"
import { mappedAnswer } from "./SiteMap.ts"

/**
 * The record of a result that was kept as it came, read again by the contract of this build. Undefined where it is no result
 * of this kind, or it is not known of which page.
 */
export const recordOfResult = (
  kind: JobKind,
  page: Pick<PageRecord, "jobId" | "key" | "url"> & Partial<Pick<PageRecord, "inputIndex">>,
  raw: unknown
): PageRecord | undefined => {
  if (kind === "map") return mappedAnswer(page, raw)
  if (kind === "extract") return extractedAnswer({ ...page, inputIndex: page.inputIndex ?? null }, raw)
  const said = recognise(raw)
  if (said === undefined || page.url === "") return undefined
  const { status } = said
  const inputIndex = page.inputIndex ?? said.inputIndex ?? null
  if (kind === "crawl") return crawledRecord({ ...page, status }, raw)
  return batchedRecord({ ...page, inputIndex, status }, raw)
}
