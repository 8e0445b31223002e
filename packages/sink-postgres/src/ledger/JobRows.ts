import { cleanText, isLater, type JobSnapshot } from "@sluice/core/sink"
import { DateTime, Effect } from "effect"
import type { Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"

/** Gives every job its number, in a transaction of its own: segments side by side must not wait for each other's rows. */
export const registerJobs = Effect.fnUntraced(function* (
  tx: Transaction,
  runId: string,
  jobIds: ReadonlyArray<string>
): Effect.fn.Return<ReadonlyMap<string, number>, DatabaseError> {
  const ids = JSON.stringify(jobIds.map(cleanText))
  yield* tx.query(
    `INSERT INTO jobs (job_id, run_id) SELECT job_id, $2::uuid FROM json_array_elements_text($1::json) AS r (job_id)
     ORDER BY job_id ON CONFLICT DO NOTHING`,
    [ids, runId]
  )
  const rows = yield* tx.query(
    "SELECT job_id, job_no FROM jobs WHERE job_id IN (SELECT json_array_elements_text($1::json))",
    [ids]
  )
  const numbers = new Map(rows.map((row) => [String(row.job_id), Number(row.job_no)]))
  return new Map(jobIds.map((jobId) => [jobId, numbers.get(cleanText(jobId))!]))
})

/** Keeps the latest counters of each job. An answer older than the stored one changes nothing. */
export const writeSnapshots = Effect.fnUntraced(function* (
  tx: Transaction,
  snapshots: ReadonlyArray<JobSnapshot>,
  numbers: ReadonlyMap<string, number>
): Effect.fn.Return<void, DatabaseError> {
  if (snapshots.length === 0) return
  const latest = new Map<string, JobSnapshot>()
  for (const snapshot of snapshots) {
    const known = latest.get(snapshot.jobId)
    if (known === undefined || isLater(snapshot, known)) latest.set(snapshot.jobId, snapshot)
  }
  const rows = [...latest.values()].map((snapshot) => ({
    job_no: numbers.get(snapshot.jobId),
    pages_discovered: snapshot.discovered,
    pages_completed: snapshot.completed,
    pages_failed: snapshot.failed,
    pages_cancelled: snapshot.cancelled,
    tokens_charged: snapshot.tokensCharged,
    tokens_reserved: snapshot.tokensReserved,
    observed_at: DateTime.formatIso(DateTime.makeUnsafe(snapshot.observedAt)),
    kind: snapshot.kind,
    url: cleanText(snapshot.url),
    status: snapshot.status
  }))
  yield* tx.query(upsertSnapshots, [JSON.stringify(rows)])
})

// In the order of their numbers, so that two segments with the same jobs cannot lock each other out. A job's row follows its
// summary: where an older answer changes nothing, `written` is without it.
const upsertSnapshots = `
WITH r AS (
  SELECT * FROM json_to_recordset($1::json) AS r (job_no int, pages_discovered bigint, pages_completed bigint,
    pages_failed bigint, pages_cancelled bigint, tokens_charged bigint, tokens_reserved bigint, observed_at timestamptz,
    kind text, url text, status text)),
written AS (
  INSERT INTO token_summaries AS t (job_no, pages_discovered, pages_completed, pages_failed, pages_cancelled,
    tokens_charged, tokens_reserved, observed_at)
  SELECT job_no, pages_discovered, pages_completed, pages_failed, pages_cancelled, tokens_charged, tokens_reserved,
    observed_at FROM r ORDER BY job_no
  ON CONFLICT (job_no) DO UPDATE SET pages_discovered = excluded.pages_discovered,
    pages_completed = excluded.pages_completed, pages_failed = excluded.pages_failed,
    pages_cancelled = excluded.pages_cancelled, tokens_charged = excluded.tokens_charged,
    tokens_reserved = excluded.tokens_reserved, observed_at = excluded.observed_at
  WHERE t.observed_at <= excluded.observed_at
  RETURNING job_no)
UPDATE jobs j SET kind = r.kind, url = r.url, status = r.status
FROM r JOIN written USING (job_no)
WHERE j.job_no = r.job_no AND (j.kind, j.url, j.status) IS DISTINCT FROM (r.kind, r.url, r.status)`
