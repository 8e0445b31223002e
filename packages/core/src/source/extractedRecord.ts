import { ExtractJob } from "@sluice/contract"
import { Option, Schema } from "effect"
import type { PageRecord } from "../record/PageRecord.ts"
import { recordOfItem } from "./recordOfItem.ts"

const { data, error, metadata, status, tokens_charged } = ExtractJob.fields
const Ended = Schema.Struct({ status, data, metadata, error, tokens_charged })

/** An extraction that has ended. */
export type EndedExtraction = Pick<ExtractJob, "job_id"> & typeof Ended.Type

const decode = Schema.decodeUnknownOption(Ended)

/** The record of an extraction, known by the URL that was asked for. */
export const extractedRecord = (
  { inputIndex, jobId, key, url }: Pick<PageRecord, "jobId" | "key" | "url" | "inputIndex">,
  job: Omit<EndedExtraction, "job_id">
): PageRecord => {
  const { metadata } = job
  return recordOfItem(
    { jobId, key, inputIndex, parentUrl: null, depth: null, links: job.data?.links ?? null },
    {
      url: metadata?.url ?? url,
      status: job.status,
      error_code: job.error?.code ?? null,
      error_message: job.error?.message ?? null,
      data: job.data,
      metadata:
        metadata === null
          ? null
          : {
              http_status: metadata.http_status,
              duration_ms: metadata.duration_ms ?? null,
              tokens_charged: job.tokens_charged,
              ...(metadata.retry_count === undefined ? {} : { retry_count: metadata.retry_count })
            }
    }
  )
}

/** The same of an answer as it came; undefined where it is none of an extraction. */
export const extractedAnswer = (
  page: Pick<PageRecord, "jobId" | "key" | "url" | "inputIndex">,
  raw: unknown
): PageRecord | undefined => {
  const job = decode(raw)
  return Option.isNone(job) ? undefined : extractedRecord(page, job.value)
}
