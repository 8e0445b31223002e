import { JobKind, type PageRecord, PageStatus, recordOfResult, weigh } from "@sluice/core"
import { Effect, Option, Schema } from "effect"
import type { Row } from "../database/Database.ts"

/** A letter as it is read to be loaded again. */
const LetterRow = Schema.Struct({
  letter_no: Schema.Int,
  reason: Schema.String,
  detail: Schema.String,
  raw: Schema.String,
  url: Schema.String,
  job_id: Schema.String,
  page_key: Schema.String,
  kind: Schema.NullOr(JobKind)
})
export type LetterRow = typeof LetterRow.Type

/** What of a letter is read to load it again: columns of `dead_letters` as `d` and `jobs` as `j`. */
export const letterRowColumns = "d.letter_no, d.reason, d.detail, d.raw, d.url, d.job_id, d.page_key::text, j.kind"

/** Rows with {@link letterRowColumns}. */
export const decodeLetterRows = (rows: ReadonlyArray<Row>) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(LetterRow))(rows))

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
export const recordOfLetter = (letter: LetterRow): PageRecord | undefined => {
  const page = { jobId: letter.job_id, key: BigInt(letter.page_key), url: letter.url }
  if (letter.reason === "contract") {
    const raw = decodeJson(letter.raw)
    return Option.isNone(raw) || letter.kind === null ? undefined : recordOfResult(letter.kind, page, raw.value)
  }
  const stored = decodeStored(letter.raw)
  if (Option.isNone(stored)) return undefined
  const { extra = null, ...rest } = stored.value
  const record = { ...rest, jobId: page.jobId, key: page.key, extra, refusal: null }
  return { ...record, bytes: weigh(record) }
}
