import type { PageRecord } from "@sluice/core"
import { type CopyBinary, encodeRows } from "../database/CopyBinary.ts"
import { linkColumns, metadataColumns, pageColumns, stageColumns } from "./PageColumns.ts"

/** A record with the narrow keys of its set and job. */
export interface RowKeyedRecord {
  readonly record: PageRecord
  readonly setNo: number
  readonly jobNo: number
  /** See {@link fingerprint}. */
  readonly fingerprint: bigint
  /** Whether the page may stand already. */
  readonly mayExist: boolean
}

/** Targets of COPY: tables with the columns the encoders write, in their order. */
export const pagesTarget: string = `pages (${pageColumns.join(", ")})`
export const linksTarget: string = `links (${linkColumns.join(", ")})`
export const metadataTarget: string = `page_metadata (${metadataColumns.join(", ")})`
export const stageTarget: string = `sluice_stage (${stageColumns.join(", ")})`

const writePage = (copy: CopyBinary, { record, setNo, jobNo, fingerprint }: RowKeyedRecord): void => {
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
export const encodePages = (records: Iterable<RowKeyedRecord>) =>
  encodeRows(records, (copy, keyed) => {
    copy.row(pageColumns.length)
    writePage(copy, keyed)
  })

/** The rows of `links`. */
export const encodeLinks = (records: Iterable<RowKeyedRecord>) =>
  encodeRows(records, (copy, { record, setNo }) => {
    for (const [position, link] of record.links.entries()) {
      copy.row(linkColumns.length)
      copy.int4(setNo)
      copy.int8(record.key)
      copy.int4(position)
      copy.text(link)
    }
  })

/** The rows of `page_metadata`. */
export const encodeMetadata = (records: Iterable<RowKeyedRecord>) =>
  encodeRows(records, (copy, { record, setNo, jobNo }) => {
    copy.row(metadataColumns.length)
    copy.int4(setNo)
    copy.int8(record.key)
    copy.int4(jobNo)
    writeMetadata(copy, record)
  })

/** The rows of the stage, which hold a page with all that came with it. */
export const encodeStage = (records: Iterable<RowKeyedRecord>) =>
  encodeRows(records, (copy, keyed) => {
    copy.row(stageColumns.length)
    writePage(copy, keyed)
    writeMetadata(copy, keyed.record)
    copy.textArray(keyed.record.links)
  })
