import type { Ledger } from "@sluice/core"
import { cleanText, type Submission } from "@sluice/core/sink"
import { Effect, Stream } from "effect"
import type { Database, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { decodeSubmissions } from "./LedgerRows.ts"
import { fenced, isUuid, toInstant, toLedgerError } from "./ledgerErrors.ts"
import { pagesOf } from "./pagesOf.ts"

const submissionsAtOnce = 500

/** What was about to be paid for, and what it became. */
export const ledgerSubmissions = (
  database: Database
): Pick<Ledger, "recordIntent" | "recordJob" | "rollbackIntent" | "findKnown" | "spent" | "submissions"> => ({
  recordIntent: Effect.fn("PostgresLedger.intend")(
    function* (run, intent) {
      const values = [
        run.runId,
        intent.ordinal,
        intent.kind,
        cleanText(intent.url),
        intent.requestHash,
        toInstant(intent.submittedAt),
        intent.tokens
      ]
      yield* fenced(
        database,
        "recordIntent",
        { ...run, lock: "SHARE" },
        `INSERT INTO submissions (run_id, ordinal, kind, url, request_hash, submitted_at, tokens)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
        values
      )
    },
    Effect.mapError(toLedgerError("recordIntent"))
  ),

  recordJob: Effect.fn("PostgresLedger.submitted")(
    (run, ordinal, jobId) =>
      fenced(
        database,
        "recordJob",
        { ...run, lock: "SHARE" },
        "UPDATE submissions SET job_id = $3 WHERE run_id = $1 AND ordinal = $2",
        [run.runId, ordinal, jobId]
      ),
    Effect.mapError(toLedgerError("recordJob"))
  ),

  rollbackIntent: Effect.fn("PostgresLedger.refused")(
    (run, ordinal) =>
      fenced(
        database,
        "rollbackIntent",
        { ...run, lock: "SHARE" },
        "DELETE FROM submissions WHERE run_id = $1 AND ordinal = $2 AND job_id IS NULL",
        [run.runId, ordinal]
      ),
    Effect.mapError(toLedgerError("rollbackIntent"))
  ),

  findKnown: Effect.fn("PostgresLedger.knows")(
    function* (jobIds) {
      const rows = yield* database.query(
        "SELECT DISTINCT job_id FROM submissions WHERE job_id IN (SELECT json_array_elements_text($1::json))",
        [JSON.stringify(jobIds.map(cleanText))]
      )
      return new Set(rows.map((row) => String(row.job_id)))
    },
    Effect.mapError(toLedgerError("findKnown"))
  ),

  spent: Effect.fn("PostgresLedger.spent")(
    function* ({ exceptRun, from, pipeline, to }) {
      const [row] = yield* database.query(
        `SELECT coalesce(sum(coalesce(r.tokens, (${costOf("r.run_id")}), 0)), 0)::float8 AS tokens FROM runs r
         WHERE r.pipeline = $1 AND r.run_id::text <> $2 AND ($3::timestamptz IS NULL OR r.started_at >= $3)
           AND ($4::timestamptz IS NULL OR r.started_at < $4)`,
        [
          cleanText(pipeline),
          exceptRun,
          from === undefined ? null : toInstant(from),
          to === undefined ? null : toInstant(to)
        ]
      )
      return Number(row?.tokens)
    },
    Effect.mapError(toLedgerError("spent"))
  ),

  submissions: (runId) =>
    !isUuid(runId)
      ? Stream.empty
      : pagesOf(submissionsAtOnce, (after) =>
          database
            .query(
              `SELECT ordinal, kind, url, request_hash, submitted_at, job_id, tokens FROM submissions
               WHERE run_id = $1 AND ordinal > $2 ORDER BY ordinal LIMIT ${submissionsAtOnce}`,
              [runId, after]
            )
            .pipe(Effect.mapError(toLedgerError("submissions")), Effect.flatMap(decodeSubmissions))
        )((row) => row.ordinal).pipe(
          Stream.map((row) => ({
            ordinal: row.ordinal,
            kind: row.kind,
            url: row.url,
            requestHash: row.request_hash,
            submittedAt: Date.parse(row.submitted_at),
            jobId: row.job_id,
            tokens: row.tokens
          }))
        )
})

/** What the run of an SQL expression has cost, and may still cost where a job is not known to have ended. */
export const costOf = (runId: string): string =>
  `SELECT sum(CASE WHEN j.status IN ('completed', 'failed', 'cancelled') THEN t.tokens_charged + t.tokens_reserved
     ELSE greatest(s.tokens, t.tokens_charged + t.tokens_reserved) END)
   FROM submissions s LEFT JOIN jobs j ON j.job_id = s.job_id LEFT JOIN token_summaries t USING (job_no)
   WHERE s.run_id = ${runId}`

/** Records the submissions of a restored run. A job ID that is already known is kept. */
export const restoreSubmissions = (
  tx: Transaction,
  runId: string,
  submissions: ReadonlyArray<Submission>
): Effect.Effect<void, DatabaseError> => {
  if (submissions.length === 0) return Effect.void
  const rows = submissions.map(({ jobId, kind, ordinal, requestHash, submittedAt, tokens, url }) => ({
    ordinal,
    kind,
    url: cleanText(url),
    request_hash: requestHash,
    submitted_at: toInstant(submittedAt),
    tokens,
    job_id: jobId === null ? null : cleanText(jobId)
  }))
  return Effect.asVoid(
    tx.query(
      `INSERT INTO submissions AS s (run_id, ordinal, kind, url, request_hash, submitted_at, tokens, job_id)
       SELECT $1::uuid, r.* FROM json_to_recordset($2::json) AS r (ordinal int, kind text, url text, request_hash text,
         submitted_at timestamptz, tokens int, job_id text)
       ON CONFLICT (run_id, ordinal) DO UPDATE SET job_id = coalesce(excluded.job_id, s.job_id)`,
      [runId, JSON.stringify(rows)]
    )
  )
}
