import { Count, ExtractData, ExtractMetadata, JobError, type JobStatus } from "@sluice/contract"
import { Schema, Struct } from "effect"
import { lenientReader } from "../record/lenientReader.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import { UnreadValues } from "../record/UnreadValues.ts"
import { recognise } from "./JobItem.ts"
import { recordOfItem } from "./recordOfItem.ts"

/** What of an extraction becomes part of its page: nothing else of it can be missed. */
const Kept = Schema.Struct({
  data: ExtractData,
  metadata: Schema.Struct(Struct.pick(ExtractMetadata.fields, ["url", "http_status", "duration_ms", "retry_count"])),
  error: Schema.Struct(Struct.pick(JobError.fields, ["code", "message"])),
  tokens_charged: Count
})
const readKept = lenientReader(Kept)

/** The record of an extraction that ended, of its answer as it came and known by the URL that was asked for. */
export const extractedRecord = (
  { inputIndex, jobId, key, url }: Pick<PageRecord, "jobId" | "key" | "url" | "inputIndex">,
  status: JobStatus,
  raw: unknown
): PageRecord => {
  const unread = new UnreadValues()
  const job = readKept(withErrorObject(raw), unread.note)
  const { data, error, metadata } = job ?? {}
  const told = metadata?.url ?? null
  const isUrl = told !== null && URL.canParse(told)
  if (told !== null && !isUrl) unread.note(["metadata", "url"], told)
  return recordOfItem(
    { jobId, key, inputIndex, parentUrl: null, depth: null, links: data?.links ?? null },
    {
      url: isUrl ? told : url,
      status,
      error_code: error?.code ?? null,
      error_message: error?.message ?? null,
      data: data ?? null,
      metadata: {
        http_status: metadata?.http_status ?? null,
        duration_ms: metadata?.duration_ms ?? null,
        retry_count: metadata?.retry_count ?? null,
        tokens_charged: job?.tokens_charged ?? null
      }
    },
    unread.addTo(null)
  )
}

/** An error that is a text is its message. */
const withErrorObject = (raw: unknown): unknown => {
  if (typeof raw !== "object" || raw === null || !("error" in raw) || typeof raw.error !== "string") return raw
  return { ...raw, error: { message: raw.error } }
}

/** The same of an answer that was kept; undefined where it does not say how the extraction ended. */
export const extractedAnswer = (
  page: Pick<PageRecord, "jobId" | "key" | "url" | "inputIndex">,
  raw: unknown
): PageRecord | undefined => {
  const said = recognise(raw)
  return said === undefined ? undefined : extractedRecord(page, said.status, raw)
}
