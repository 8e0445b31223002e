import { Option, Schema } from "effect"
import { JobKind } from "../record/JobSnapshot.ts"
import { type PageRecord, PageStatus, weigh } from "../record/PageRecord.ts"
import type { Segment } from "../record/Segment.ts"
import { refusedRecord } from "../source/recordOfItem.ts"
import { recordOfResult } from "../source/recordOfResult.ts"

/** A page as a line of text: which it is, and the result it was made of, or what was refused of it. */
const KeptPage = Schema.Struct({
  job_id: Schema.String,
  kind: JobKind,
  key: Schema.BigIntFromString,
  url: Schema.String,
  input_index: Schema.NullOr(Schema.Int),
  status: PageStatus,
  answer: Schema.optionalKey(Schema.Unknown),
  refusal: Schema.optionalKey(
    Schema.Struct({
      reason: Schema.Literal("contract"),
      detail: Schema.String,
      raw: Schema.String,
      uncountable: Schema.optionalKey(Schema.Literal(true))
    })
  )
})

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(KeptPage))

/** The pages of a segment as lines of JSON. Its records carry their answers. */
export function* storedLines({ jobs, records }: Segment): Generator<string> {
  const kinds = new Map(jobs.map(({ jobId, kind }) => [jobId, kind]))
  for (const record of records) {
    const page = {
      job_id: record.jobId,
      kind: kinds.get(record.jobId),
      key: String(record.key),
      url: record.url,
      input_index: record.inputIndex,
      status: record.status
    }
    // What was refused may be nested deeper than JSON writers go; it is bounded where it was refused.
    yield `${JSON.stringify(record.refusal === null ? { ...page, answer: record.answer } : { ...page, refusal: record.refusal })}\n`
  }
}

/** The record of a line, read by the contract of this build; undefined where it is no line of {@link storedLines}. */
export const recordOfLine = (line: string): PageRecord | undefined => {
  const kept = decode(line)
  if (Option.isNone(kept)) return undefined
  const { answer, input_index: inputIndex, job_id: jobId, key, kind, refusal, status, url } = kept.value
  if (refusal !== undefined) return refusedRecord({ jobId, key, url, inputIndex, status }, refusal)
  const record = recordOfResult(kind, { jobId, key, url, inputIndex }, answer)
  if (record === undefined) return undefined
  return { ...record, bytes: weigh(record) }
}
