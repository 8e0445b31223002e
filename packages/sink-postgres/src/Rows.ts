import type { PageRecord } from "@sluice/core"
import { type CopyBinary, encodeRows } from "./CopyBinary.ts"

/** A record with the narrow keys of its set and job. */
export interface KeyedRecord {
  readonly record: PageRecord
  readonly setNo: number
  readonly jobNo: number
  /** In merge and history mode: see {@link fingerprint}. */
  readonly fingerprint: bigint | null
  /** Whether the page may stand already. */
  readonly mayStand: boolean
}

/** Targets of COPY: tables with the columns the encoders write, in their order. */
export const pagesTarget =
  "pages (set_no, page_key, job_no, url, parent_url, depth, input_index, status, error_code, error_message, markdown, html, fingerprint, extra)"
export const linksTarget = "links (set_no, page_key, position, url)"
export const metadataTarget =
  "page_metadata (set_no, page_key, job_no, http_status, duration_ms, retry_count, tokens_charged)"
export const stageTarget =
  "sluice_stage (set_no, page_key, job_no, url, parent_url, depth, input_index, status, error_code, error_message, markdown, html, fingerprint, extra, http_status, duration_ms, retry_count, tokens_charged, links)"

const writePage = (copy: CopyBinary, { record, setNo, jobNo, fingerprint }: KeyedRecord): void => {
  copy.int4(setNo)
  copy.int8(record.key)
  copy.int4(jobNo)
  copy.text(record.url)
  copy.text(record.parentUrl)
  copy.int4(record.depth)
  copy.int4(record.inputIndex)
  copy.text(record.status)
  copy.text(record.errorCode)
  copy.text(record.errorMessage)
  copy.text(record.markdown)
  copy.text(record.html)
  copy.int8(fingerprint)
  copy.jsonb(record.extra)
}

const writeMetadata = (copy: CopyBinary, record: PageRecord): void => {
  copy.int4(record.httpStatus)
  copy.int4(record.durationMs)
  copy.int4(record.retryCount)
  copy.int4(record.tokensCharged)
}

/** The rows of `pages`. */
export const encodePages = (records: Iterable<KeyedRecord>) =>
  encodeRows(records, (copy, keyed) => {
    copy.row(14)
    writePage(copy, keyed)
  })

/** The rows of `links`. */
export const encodeLinks = (records: Iterable<KeyedRecord>) =>
  encodeRows(records, (copy, { record, setNo }) => {
    for (const [position, link] of record.links.entries()) {
      copy.row(4)
      copy.int4(setNo)
      copy.int8(record.key)
      copy.int4(position)
      copy.text(link)
    }
  })

/** The rows of `page_metadata`. */
export const encodeMetadata = (records: Iterable<KeyedRecord>) =>
  encodeRows(records, (copy, { record, setNo, jobNo }) => {
    copy.row(7)
    copy.int4(setNo)
    copy.int8(record.key)
    copy.int4(jobNo)
    writeMetadata(copy, record)
  })

/** The rows of the stage, which hold a page with all that came with it. */
export const encodeStage = (records: Iterable<KeyedRecord>) =>
  encodeRows(records, (copy, keyed) => {
    copy.row(19)
    writePage(copy, keyed)
    writeMetadata(copy, keyed.record)
    copy.textArray(keyed.record.links)
  })
