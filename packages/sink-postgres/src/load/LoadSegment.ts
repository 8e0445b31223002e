import type { WrittenRows } from "@sluice/core/sink"
import { Effect } from "effect"
import type { Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import {
  encodeLinks,
  encodeMetadata,
  encodePages,
  linksTarget,
  metadataTarget,
  pagesTarget,
  type RowKeyedRecord
} from "../pages/Rows.ts"
import { type Loss, noLoss } from "./Loss.ts"
import { pageId } from "./pageId.ts"

/**
 * Copies pages that are nowhere yet straight into the keyed tables; a page that is there fails the transaction. Where the
 * server wrote fewer rows than it was given, it is asked which: a trigger may have dropped them, or put them elsewhere.
 */
export const copyNew = Effect.fnUntraced(function* (
  tx: Transaction,
  records: ReadonlyArray<RowKeyedRecord>
): Effect.fn.Return<Loss, DatabaseError> {
  if (records.length === 0) return noLoss
  const written = yield* tx.copyIn(pagesTarget, encodePages(records))
  const kept = written === records.length ? records : yield* findKept(tx, records)
  if (kept.length === 0) return lossOf(records, kept, 0, 0)
  const offered = linksOf(kept)
  const links = offered === 0 ? 0 : yield* tx.copyIn(linksTarget, encodeLinks(kept))
  const metadata = yield* tx.copyIn(metadataTarget, encodeMetadata(kept))
  if (kept === records && links === offered && metadata === records.length) return noLoss
  return lossOf(
    records,
    kept,
    links === offered ? links : yield* countRows(tx, "links", kept),
    metadata === kept.length ? metadata : yield* countRows(tx, "page_metadata", kept)
  )
})

const linksOf = (records: ReadonlyArray<RowKeyedRecord>): number =>
  records.reduce((sum, { record }) => sum + record.links.length, 0)

const lossOf = (
  records: ReadonlyArray<RowKeyedRecord>,
  kept: ReadonlyArray<RowKeyedRecord>,
  links: number,
  metadata: number
): Loss => {
  const there = new Set(kept)
  return {
    pages: records.filter((keyed) => !there.has(keyed)).map(pageId),
    links: linksOf(records) - links,
    metadata: records.length - metadata
  }
}

const keysOf = (records: ReadonlyArray<RowKeyedRecord>): ReadonlyArray<string> => [
  arrayOf(records, ({ setNo }) => setNo),
  arrayOf(records, ({ record }) => record.key)
]

/** The records whose pages are there. */
const findKept = Effect.fnUntraced(function* (
  tx: Transaction,
  records: ReadonlyArray<RowKeyedRecord>
): Effect.fn.Return<ReadonlyArray<RowKeyedRecord>, DatabaseError> {
  const rows = yield* tx.query(
    `SELECT p.set_no || ':' || p.page_key AS id
     FROM unnest($1::int[], $2::bigint[]) AS k (set_no, page_key) JOIN pages p USING (set_no, page_key)`,
    keysOf(records)
  )
  const there = new Set(rows.map(({ id }) => String(id)))
  return records.filter((keyed) => there.has(pageId(keyed)))
})

const countRows = (
  tx: Transaction,
  table: "pages" | "links" | "page_metadata",
  records: ReadonlyArray<RowKeyedRecord>
): Effect.Effect<number, DatabaseError> =>
  Effect.map(
    tx.query(
      `SELECT count(*)::int AS rows
       FROM unnest($1::int[], $2::bigint[]) AS k (set_no, page_key) JOIN ${table} t USING (set_no, page_key)`,
      keysOf(records)
    ),
    ([row]) => Number(row?.rows)
  )

/** The rows that are there for records, counted one by one. */
export const countAll = (
  tx: Transaction,
  records: ReadonlyArray<RowKeyedRecord>
): Effect.Effect<WrittenRows, DatabaseError> =>
  Effect.all({
    pages: countRows(tx, "pages", records),
    links: countRows(tx, "links", records),
    page_metadata: countRows(tx, "page_metadata", records)
  })

/** Updates the fetch data of pages whose content is unchanged. */
export const updateMetadata = Effect.fnUntraced(function* (
  tx: Transaction,
  records: ReadonlyArray<RowKeyedRecord>
): Effect.fn.Return<void, DatabaseError> {
  if (records.length === 0) return
  yield* tx.query(
    `UPDATE page_metadata m SET job_no = r.job_no, http_status = r.http_status, duration_ms = r.duration_ms,
       retry_count = r.retry_count, tokens_charged = r.tokens_charged
     FROM unnest($1::int[], $2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[])
       AS r (set_no, page_key, job_no, http_status, duration_ms, retry_count, tokens_charged)
     WHERE m.set_no = r.set_no AND m.page_key = r.page_key`,
    [
      arrayOf(records, ({ setNo }) => setNo),
      arrayOf(records, ({ record }) => record.key),
      arrayOf(records, ({ jobNo }) => jobNo),
      arrayOf(records, ({ record }) => record.httpStatus),
      arrayOf(records, ({ record }) => record.durationMs),
      arrayOf(records, ({ record }) => record.retryCount),
      arrayOf(records, ({ record }) => record.tokensCharged)
    ]
  )
})

/** Numbers of the records as an array literal. */
export const arrayOf = (
  records: ReadonlyArray<RowKeyedRecord>,
  pick: (keyed: RowKeyedRecord) => number | bigint | null
): string => `{${records.map((keyed) => pick(keyed) ?? "NULL").join(",")}}`
