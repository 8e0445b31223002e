import { cleanText, type DeadLetter, rawJson, type Segment } from "@sluice/core/sink"
import { Effect } from "effect"
import type { Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"

/** Writes quarantined records as dead letters. Writing a segment again adds none. */
export const writeDeadLetters = Effect.fnUntraced(function* (
  tx: Transaction,
  place: { readonly pipeline: string; readonly sink: string },
  segment: Segment,
  deadLetters: ReadonlyArray<DeadLetter>
): Effect.fn.Return<void, DatabaseError> {
  if (deadLetters.length === 0) return
  const rows = deadLetters.map(({ record, reason, detail }) => ({
    job_id: cleanText(record.jobId),
    page_key: String(record.key),
    url: cleanText(record.url),
    reason,
    detail,
    raw: rawJson(record)
  }))
  yield* tx.query(
    `INSERT INTO dead_letters (run_id, pipeline, sink, job_id, page_key, url, reason, detail, raw)
     SELECT $1::uuid, $2::text, $3::text, job_id, page_key, url, reason, detail, raw
     FROM json_to_recordset($4::json)
       AS r (job_id text, page_key bigint, url text, reason text, detail text, raw text)
     ON CONFLICT DO NOTHING`,
    [segment.runId, cleanText(place.pipeline), cleanText(place.sink), JSON.stringify(rows)]
  )
})
