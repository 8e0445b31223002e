import type { PageRecord } from "@sluice/core"
import type { JsonObject } from "@sluice/core/sink"
import { cleanText, type DeadLetter, datasets, rawJson } from "@sluice/core/sink"

/** What a column holds. `key` is a 64-bit integer: text in JSON, whose readers keep 53 bits of a number. */
export type ColumnType = "text" | "int" | "long" | "key" | "instant" | "json"

/** A column of a dataset. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly isRequired: boolean
}

export type Value = string | number | bigint | JsonObject | null

/** A row: values in the order of the columns. */
export type Row = ReadonlyArray<Value>

/** Rows that may be gone through again and again; they may be made as they are asked for. */
export interface Rows extends Iterable<Row> {
  readonly length: number
}

/** A row of each record, made as it is asked for: a segment has too many links to have them all at once. */
const rowsOf = <A>(all: ReadonlyArray<A>, length: number, rows: (one: A) => Iterable<Row>): Rows => ({
  length,
  *[Symbol.iterator]() {
    for (const one of all) yield* rows(one)
  }
})

/** The four datasets and the dead letters. */
export const lakeDatasets = [...datasets, "dead_letters"] as const
export type LakeDataset = (typeof lakeDatasets)[number]

/** What rows are made of: a record without what no column has. */
export type LakePage = Omit<PageRecord, "refusal" | "bytes" | "unread" | "answer">

const column = (name: string, type: ColumnType, isRequired = false): Column => ({ name, type, isRequired })
const jobId = column("job_id", "text", true)
const pageKey = column("page_key", "key", true)

/** The columns of each dataset, in the order rows have them. */
export const columnsOf: { readonly [D in LakeDataset]: ReadonlyArray<Column> } = {
  pages: [
    jobId,
    pageKey,
    column("url", "text", true),
    column("parent_url", "text"),
    column("depth", "int"),
    column("input_index", "int"),
    column("status", "text", true),
    column("error_code", "text"),
    column("error_message", "text"),
    column("markdown", "text"),
    column("html", "text"),
    column("extra", "json")
  ],
  links: [
    jobId,
    pageKey,
    column("position", "int", true),
    column("page_url", "text", true),
    column("url", "text", true)
  ],
  page_metadata: [
    jobId,
    pageKey,
    column("url", "text", true),
    column("http_status", "int"),
    column("duration_ms", "int"),
    column("retry_count", "int"),
    column("tokens_charged", "int")
  ],
  token_summaries: [
    jobId,
    column("kind", "text", true),
    column("url", "text", true),
    column("status", "text", true),
    column("pages_discovered", "long", true),
    column("pages_completed", "long", true),
    column("pages_failed", "long", true),
    column("pages_cancelled", "long", true),
    column("tokens_charged", "long", true),
    column("tokens_reserved", "long", true),
    column("observed_at", "instant", true)
  ],
  dead_letters: [
    jobId,
    pageKey,
    column("url", "text", true),
    column("reason", "text", true),
    column("detail", "text", true),
    column("raw", "text", true)
  ]
}

/** Rows of `pages`. */
export const pageRows = (records: ReadonlyArray<LakePage>): Rows =>
  rowsOf(records, records.length, (page) => [
    [
      page.jobId,
      page.key,
      page.url,
      page.parentUrl,
      page.depth,
      page.inputIndex,
      page.status,
      page.errorCode,
      page.errorMessage,
      page.markdown,
      page.html,
      page.extra
    ]
  ])

/** Rows of `links`. */
export const linkRows = (records: ReadonlyArray<LakePage>): Rows =>
  rowsOf(
    records,
    records.reduce((count, { links }) => count + links.length, 0),
    ({ jobId, key, links, url }) => links.map((link, at): Row => [jobId, key, at, url, link])
  )

/** Rows of `page_metadata`. */
export const metadataRows = (records: ReadonlyArray<LakePage>): Rows =>
  rowsOf(records, records.length, (page) => [
    [page.jobId, page.key, page.url, page.httpStatus, page.durationMs, page.retryCount, page.tokensCharged]
  ])

/** A row of `dead_letters`. Text that is not Unicode is sanitized, except in `raw`, which is JSON and escapes it. */
export const deadLetterRow = ({ detail, reason, record }: DeadLetter): DeadLetterRow => [
  cleanText(record.jobId),
  record.key,
  cleanText(record.url),
  reason,
  detail,
  rawJson(record)
]

/** The values of a dead letter, in the order of its columns. */
export type DeadLetterRow = readonly [string, bigint, string, string, string, string]
