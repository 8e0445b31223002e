import type { Ledger } from "@sluice/core"
import { Effect, Stream } from "effect"
import type { Database } from "./Database.ts"
import { cleanText } from "./DirtyRecords.ts"
import { decodeSubmissions } from "./LedgerRows.ts"
import { fence, isUuid, toInstant, toLedgerError } from "./ledgerErrors.ts"
import { pagesOf } from "./pagesOf.ts"

const submissionsAtOnce = 500

/** What was about to be paid for, and what it became. */
export const ledgerSubmissions = (
  database: Database["Service"]
): Pick<Ledger, "intend" | "submitted" | "refused" | "knows" | "submissions"> => ({
  intend: Effect.fn("PostgresLedger.intend")(
    function* (run, intent) {
      const values = [
        run.runId,
        intent.ordinal,
        intent.kind,
        cleanText(intent.url),
        intent.requestHash,
        toInstant(intent.submittedAt)
      ]
      yield* database.transaction((tx) =>
        fence(tx, "intend", run).pipe(
          Effect.andThen(
            tx.query(
              `INSERT INTO submissions (run_id, ordinal, kind, url, request_hash, submitted_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
              values
            )
          )
        )
      )
    },
    Effect.mapError(toLedgerError("intend"))
  ),

  submitted: Effect.fn("PostgresLedger.submitted")(
    function* (run, ordinal, jobId) {
      yield* database.transaction((tx) =>
        fence(tx, "submitted", run).pipe(
          Effect.andThen(
            tx.query("UPDATE submissions SET job_id = $3 WHERE run_id = $1 AND ordinal = $2", [
              run.runId,
              ordinal,
              jobId
            ])
          )
        )
      )
    },
    Effect.mapError(toLedgerError("submitted"))
  ),

  refused: Effect.fn("PostgresLedger.refused")(
    function* (run, ordinal) {
      yield* database.transaction((tx) =>
        fence(tx, "refused", run).pipe(
          Effect.andThen(
            tx.query("DELETE FROM submissions WHERE run_id = $1 AND ordinal = $2 AND job_id IS NULL", [
              run.runId,
              ordinal
            ])
          )
        )
      )
    },
    Effect.mapError(toLedgerError("refused"))
  ),

  knows: Effect.fn("PostgresLedger.knows")(
    function* (jobIds) {
      const rows = yield* database.query(
        "SELECT DISTINCT job_id FROM submissions WHERE job_id IN (SELECT json_array_elements_text($1::json))",
        [JSON.stringify(jobIds.map(cleanText))]
      )
      return new Set(rows.map((row) => String(row.job_id)))
    },
    Effect.mapError(toLedgerError("knows"))
  ),

  submissions: (runId) =>
    !isUuid(runId)
      ? Stream.empty
      : pagesOf(submissionsAtOnce, (after) =>
          database
            .query(
              `SELECT ordinal, kind, url, request_hash, submitted_at, job_id FROM submissions
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
            jobId: row.job_id
          }))
        )
})
