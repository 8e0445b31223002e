import { Effect } from "effect"
import type { Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import {
  encodeLinks,
  encodeMetadata,
  encodePages,
  type KeyedRecord,
  linksTarget,
  metadataTarget,
  pagesTarget
} from "../pages/Rows.ts"

/** Copies pages that stand nowhere yet straight into the keyed tables; a page that does stand fails the transaction. */
export const copyNew = Effect.fnUntraced(function* (
  tx: Transaction,
  records: ReadonlyArray<KeyedRecord>
): Effect.fn.Return<void, DatabaseError> {
  if (records.length === 0) return
  yield* tx.copyIn(pagesTarget, encodePages(records))
  if (records.some(({ record }) => record.links.length > 0)) yield* tx.copyIn(linksTarget, encodeLinks(records))
  yield* tx.copyIn(metadataTarget, encodeMetadata(records))
})

/** Updates how pages were fetched, where their content stands unchanged. */
export const updateMetadata = Effect.fnUntraced(function* (
  tx: Transaction,
  records: ReadonlyArray<KeyedRecord>
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
  records: ReadonlyArray<KeyedRecord>,
  pick: (keyed: KeyedRecord) => number | bigint | null
): string => `{${records.map((keyed) => pick(keyed) ?? "NULL").join(",")}}`
