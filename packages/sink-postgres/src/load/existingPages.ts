import { Effect, Schema } from "effect"
import type { Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import type { RowKeyedRecord } from "../pages/Rows.ts"
import { arrayOf } from "./LoadSegment.ts"
import { pageId } from "./pageId.ts"

const StandingPage = Schema.Struct({
  id: Schema.String,
  fingerprint: Schema.NullOr(Schema.String),
  /** The job that delivered it last; null where the page has no metadata. */
  job_no: Schema.NullOr(Schema.Int),
  http_status: Schema.NullOr(Schema.Int),
  duration_ms: Schema.NullOr(Schema.Int),
  retry_count: Schema.NullOr(Schema.Int),
  tokens_charged: Schema.NullOr(Schema.Int)
})
type StandingPage = typeof StandingPage.Type
const decodeStanding = Schema.decodeUnknownEffect(Schema.Array(StandingPage))

/** The existing pages of records that may exist, by {@link pageId}. Queries nothing if none may. */
export const findExisting = Effect.fnUntraced(function* (
  tx: Transaction,
  records: ReadonlyArray<RowKeyedRecord>
): Effect.fn.Return<ReadonlyMap<string, StandingPage>, DatabaseError> {
  const doubtful = records.filter(({ mayExist }) => mayExist)
  if (doubtful.length === 0) return new Map()
  const rows = yield* tx.query(
    `SELECT p.set_no || ':' || p.page_key AS id, p.fingerprint::text, m.job_no,
       m.http_status, m.duration_ms, m.retry_count, m.tokens_charged
     FROM unnest($1::int[], $2::bigint[]) AS k (set_no, page_key)
     JOIN pages p USING (set_no, page_key) LEFT JOIN page_metadata m USING (set_no, page_key)`,
    [arrayOf(doubtful, ({ setNo }) => setNo), arrayOf(doubtful, ({ record }) => record.key)]
  )
  const existing = yield* Effect.orDie(decodeStanding(rows))
  return new Map(existing.map((page) => [page.id, page]))
})

/** The records by what has to be done: nothing, for those that are in none of the three. */
export interface Partition {
  readonly added: ReadonlyArray<RowKeyedRecord>
  readonly changed: ReadonlyArray<RowKeyedRecord>
  /** The content is unchanged, but another job delivered it or it was fetched differently. */
  readonly refetched: ReadonlyArray<RowKeyedRecord>
}

/** Compares records with existing pages. */
export const partition = (
  records: ReadonlyArray<RowKeyedRecord>,
  existing: ReadonlyMap<string, StandingPage>
): Partition => {
  if (existing.size === 0) return { added: records, changed: [], refetched: [] }
  const added: Array<RowKeyedRecord> = []
  const changed: Array<RowKeyedRecord> = []
  const refetched: Array<RowKeyedRecord> = []
  for (const keyed of records) {
    const page = existing.get(pageId(keyed))
    if (page === undefined) added.push(keyed)
    else if (page.job_no === null || page.fingerprint !== `${keyed.fingerprint}`) changed.push(keyed)
    else if (!isFetchedAlike(keyed, page)) refetched.push(keyed)
  }
  return { added, changed, refetched }
}

const isFetchedAlike = ({ record, jobNo }: RowKeyedRecord, page: StandingPage): boolean =>
  jobNo === page.job_no &&
  record.httpStatus === page.http_status &&
  record.durationMs === page.duration_ms &&
  record.retryCount === page.retry_count &&
  record.tokensCharged === page.tokens_charged
