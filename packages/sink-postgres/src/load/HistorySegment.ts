import { Effect, Schema } from "effect"
import type { Transaction } from "../database/Database.ts"
import { Conflict, DatabaseError } from "../database/DatabaseError.ts"
import type { RowKeyedRecord } from "../pages/Rows.ts"
import { arrayOf, copyNew } from "./LoadSegment.ts"
import { type Loss, sumOf } from "./Loss.ts"
import { mergeRecords } from "./MergeSegment.ts"
import { keepVersions } from "./PageVersions.ts"
import { pageId } from "./pageId.ts"

const CurrentPage = Schema.Struct({
  id: Schema.String,
  fingerprint: Schema.NullOr(Schema.String),
  is_completed: Schema.Boolean
})
type CurrentPage = typeof CurrentPage.Type
const decodeCurrent = Schema.decodeUnknownEffect(Schema.Array(CurrentPage))

/**
 * Writes the pages that are new or have changed, and keeps the version before of those that have. Of pages that have not
 * changed nothing is written, nor of those that did not complete while a completed version exists.
 */
export const loadHistory = Effect.fnUntraced(function* (
  tx: Transaction,
  records: ReadonlyArray<RowKeyedRecord>
): Effect.fn.Return<Loss, DatabaseError> {
  const current = yield* findCurrent(tx, records)
  const added: Array<RowKeyedRecord> = []
  const changed: Array<RowKeyedRecord> = []
  const former: Array<string | null> = []
  for (const keyed of records) {
    const page = current.get(pageId(keyed))
    if (page === undefined) added.push(keyed)
    else if (page.fingerprint !== `${keyed.fingerprint}` && !yieldsTo(keyed, page)) {
      changed.push(keyed)
      former.push(page.fingerprint)
    }
  }
  const lost = yield* copyNew(tx, added)
  if (changed.length === 0) return lost
  yield* keepFormer(tx, changed, former)
  return sumOf([lost, yield* mergeRecords(tx, changed)])
})

/** A page that failed or was cancelled tells nothing of what it would have held. */
const yieldsTo = ({ record }: RowKeyedRecord, page: CurrentPage): boolean =>
  page.is_completed && record.status !== "completed"

// In one statement: a page that ended in whatever way is there, also in a run that will not be complete.
const findAndSight = `
WITH k AS (
  SELECT * FROM unnest($1::int[], $2::bigint[], $3::boolean[]) AS k (set_no, page_key, is_sighted)),
sighted AS (
  DELETE FROM missing_pages m USING k
  WHERE m.set_no = k.set_no AND m.page_key = k.page_key AND k.is_sighted)
SELECT p.set_no || ':' || p.page_key AS id, p.fingerprint::text, p.status = 'completed' AS is_completed
FROM k JOIN pages p ON p.set_no = k.set_no AND p.page_key = k.page_key`

const findCurrent = Effect.fnUntraced(function* (
  tx: Transaction,
  records: ReadonlyArray<RowKeyedRecord>
): Effect.fn.Return<ReadonlyMap<string, CurrentPage>, DatabaseError> {
  const doubtful = records.filter(({ mayExist }) => mayExist)
  if (doubtful.length === 0) return new Map()
  const rows = yield* tx.query(findAndSight, [
    arrayOf(doubtful, ({ setNo }) => setNo),
    arrayOf(doubtful, ({ record }) => record.key),
    `{${doubtful.map(({ record }) => record.status !== "cancelled").join(",")}}`
  ])
  const current = yield* Effect.orDie(decodeCurrent(rows))
  return new Map(current.map((page) => [page.id, page]))
})

const keepAsChanged = `
WITH former AS MATERIALIZED (
  SELECT p.* FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS k (set_no, page_key, fingerprint)
  JOIN pages p ON p.set_no = k.set_no AND p.page_key = k.page_key
  WHERE p.fingerprint IS NOT DISTINCT FROM k.fingerprint
  FOR UPDATE OF p),
kept AS (${keepVersions("(SELECT * FROM former WHERE status = 'completed')", "changed")})
SELECT count(*)::int AS locked FROM former`

/** Keeps what is about to be changed; a page that never completed was no version. */
const keepFormer = Effect.fnUntraced(function* (
  tx: Transaction,
  changed: ReadonlyArray<RowKeyedRecord>,
  fingerprints: ReadonlyArray<string | null>
): Effect.fn.Return<void, DatabaseError> {
  const [found] = yield* tx.query(keepAsChanged, [
    arrayOf(changed, ({ setNo }) => setNo),
    arrayOf(changed, ({ record }) => record.key),
    `{${fingerprints.map((fingerprint) => fingerprint ?? "NULL").join(",")}}`
  ])
  if (found?.locked === changed.length) return
  const detail = "another run has changed the same pages in the meantime"
  return yield* new DatabaseError({ operation: "keep versions", reason: new Conflict({ detail }) })
})
