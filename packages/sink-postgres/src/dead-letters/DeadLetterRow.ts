import type { PageRecord } from "@sluice/core"
import { JobKind, PageStatus, recordOfResult, weigh } from "@sluice/core/sink"
import { Effect, Option, Schema } from "effect"
import type { Row } from "../database/Database.ts"

/** A letter as it is read to be loaded again. */
const DeadLetterRow = Schema.Struct({
  letter_no: Schema.Int,
  reason: Schema.String,
  detail: Schema.String,
  raw: Schema.String,
  url: Schema.String,
  job_id: Schema.String,
  page_key: Schema.String,
  kind: Schema.NullOr(JobKind)
})
export type DeadLetterRow = typeof DeadLetterRow.Type

/** What of a letter is read to load it again: columns of `dead_letters` as `d` and `jobs` as `j`. */
export const deadLetterColumns = "d.letter_no, d.reason, d.detail, d.raw, d.url, d.job_id, d.page_key::text, j.kind"

/** Rows with {@link deadLetterColumns}. */
export const decodeDeadLetterRows = (rows: ReadonlyArray<Row>) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(DeadLetterRow))(rows))

const text = Schema.NullOr(Schema.String)
const number = Schema.NullOr(Schema.Finite)

/** A record as letters keep it. Those of earlier builds have no `extra`. */
const StoredRecord = Schema.Struct({
  url: Schema.String,
  inputIndex: number,
  parentUrl: text,
  depth: number,
  status: PageStatus,
  errorCode: text,
  errorMessage: text,
  markdown: text,
  html: text,
  links: Schema.Array(Schema.String),
  httpStatus: number,
  durationMs: number,
  retryCount: number,
  tokensCharged: number,
  extra: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.Json)))
})
const decodeStored = Schema.decodeUnknownOption(Schema.fromJsonString(StoredRecord))
const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

/** The record a letter holds; the contract is asked again where it had refused the result. Undefined where it holds none. */
export const recordOfDeadLetter = (deadLetter: DeadLetterRow): PageRecord | undefined => {
  const page = { jobId: deadLetter.job_id, key: BigInt(deadLetter.page_key), url: deadLetter.url }
  if (deadLetter.reason === "contract") {
    const raw = decodeJson(deadLetter.raw)
    return Option.isNone(raw) || deadLetter.kind === null ? undefined : recordOfResult(deadLetter.kind, page, raw.value)
  }
  const stored = decodeStored(deadLetter.raw)
  if (Option.isNone(stored)) return undefined
  const { extra = null, ...rest } = stored.value
  const record = { ...rest, jobId: page.jobId, key: page.key, extra, refusal: null }
  return { ...record, bytes: weigh(record) }
}
