import type { PublishPreview, RunHandle } from "@sluice/core/sink"
import { Effect } from "effect"
import { type CopyBinary, encodeRows } from "../database/CopyBinary.ts"
import type { Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { toInstant } from "../ledger/ledgerErrors.ts"
import { keepVersions } from "../load/PageVersions.ts"
import { removeFormer } from "./PageBatches.ts"

/** What a completed run has found. */
export interface Found {
  /** Keys of the pages it saw the end of. */
  readonly seen: ReadonlyArray<BigInt64Array>
  /** Whether what it did not see is not there. */
  readonly isExhaustive: boolean
  /** How many whole crawls in a row a page may be missing from before it is closed. */
  readonly closeAfter: number
}

const resetSeen = `
DELETE FROM missing_pages m WHERE set_no = $1
  AND EXISTS (SELECT FROM sluice_seen s WHERE s.page_key = m.page_key)`

const countMissing = `
INSERT INTO missing_pages AS m (set_no, page_key, misses, since)
SELECT p.set_no, p.page_key, 1, now() FROM pages p
WHERE p.set_no = $1 AND NOT EXISTS (SELECT FROM sluice_seen s WHERE s.page_key = p.page_key)
ON CONFLICT (set_no, page_key) DO UPDATE SET misses = m.misses + 1`

// All parts read one snapshot: what is removed is still there for what keeps it.
const closeGone = `
WITH gone AS (
  DELETE FROM missing_pages WHERE set_no = $1 AND misses >= $2 RETURNING set_no, page_key),
former AS MATERIALIZED (
  SELECT p.* FROM gone g JOIN pages p ON p.set_no = g.set_no AND p.page_key = g.page_key FOR UPDATE OF p),
kept AS (${keepVersions("former", "gone")}),
${removeFormer("former")}`

/**
 * Counts what a completed run did not find and closes pages that were missing for long enough. A run is counted once, and not
 * at all after one that began later: what it saw is older.
 */
export const publishHistory = Effect.fnUntraced(function* (
  tx: Transaction,
  setNo: number,
  run: RunHandle,
  { closeAfter, isExhaustive, seen }: Found
): Effect.fn.Return<void, DatabaseError> {
  const startedAt = toInstant(run.startedAt)
  if (yield* isPast(tx, setNo, run)) return
  yield* copySeen(tx, seen)
  yield* tx.query(resetSeen, [setNo])
  if (isExhaustive) {
    yield* tx.query(countMissing, [setNo])
    yield* tx.query(closeGone, [setNo, closeAfter])
  }
  yield* tx.query("UPDATE page_sets SET counted_run = $2, counted_run_at = $3 WHERE set_no = $1", [
    setNo,
    run.runId,
    startedAt
  ])
})

/** Whether the run has been counted, or one that began later. Nobody else counts until the transaction ends. */
const isPast = (
  tx: Transaction,
  setNo: number,
  { runId, startedAt }: RunHandle
): Effect.Effect<boolean, DatabaseError> =>
  Effect.map(
    tx.query(
      `SELECT coalesce(counted_run = $2::uuid OR counted_run_at > $3::timestamptz, false) AS is_past
       FROM page_sets WHERE set_no = $1 FOR UPDATE`,
      [setNo, runId, toInstant(startedAt)]
    ),
    ([set]) => set?.is_past === true
  )

const copySeen = Effect.fnUntraced(function* (
  tx: Transaction,
  seen: ReadonlyArray<BigInt64Array>
): Effect.fn.Return<void, DatabaseError> {
  yield* tx.execute("CREATE TEMPORARY TABLE sluice_seen (page_key bigint NOT NULL) ON COMMIT DROP")
  const writeKey = (copy: CopyBinary, key: bigint) => {
    copy.row(1)
    copy.int8(key)
  }
  yield* tx.copyIn("sluice_seen (page_key)", encodeRows(each(seen), writeKey))
})

const countClosing = `
SELECT count(*) FILTER (WHERE status = 'completed')::int AS before,
  count(*) FILTER (WHERE status = 'completed' AND NOT EXISTS (SELECT FROM sluice_seen s WHERE s.page_key = p.page_key)
    AND ($2::int <= 1 OR EXISTS (SELECT FROM missing_pages m
      WHERE m.set_no = p.set_no AND m.page_key = p.page_key AND m.misses >= $2::int - 1)))::int AS closing
FROM pages p WHERE set_no = $1`

/**
 * Completed pages that are current, and those that would be left once the run is counted. They are counted only where many could be
 * closed: not while no page has been missing for long enough, nor where the run itself found half of all pages.
 */
export const previewHistory = Effect.fnUntraced(function* (
  tx: Transaction,
  setNo: number,
  run: RunHandle,
  { closeAfter, found, seen }: Omit<Found, "isExhaustive"> & { readonly found: number }
): Effect.fn.Return<PublishPreview, DatabaseError> {
  const nothing = { before: 0, after: 0 }
  if (yield* isPast(tx, setNo, run)) return nothing
  if (closeAfter > 1) {
    const late = yield* tx.query("SELECT FROM missing_pages WHERE set_no = $1 AND misses >= $2 LIMIT 1", [
      setNo,
      closeAfter - 1
    ])
    if (late.length === 0) return nothing
  }
  const [all] = yield* tx.query("SELECT count(*)::int AS pages FROM pages WHERE set_no = $1", [setNo])
  if (2 * found >= Number(all?.pages)) return { before: Number(all?.pages), after: found }
  yield* copySeen(tx, seen)
  const [row] = yield* tx.query(countClosing, [setNo, closeAfter])
  const before = Number(row?.before)
  return { before, after: before - Number(row?.closing) }
})

function* each(lists: ReadonlyArray<BigInt64Array>): Generator<bigint> {
  for (const keys of lists) yield* keys
}
