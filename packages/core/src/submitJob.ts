import type { JobId } from "@sluice/contract"
import { Effect } from "effect"
import { CurrentJournal, type SubmissionRequest } from "./Journal.ts"
import type { ScraperError } from "./ScraperError.ts"
import { ApiFailed, LedgerFailed, SourceError } from "./SourceError.ts"

/** The only way paid work is asked for: through the journal in force. */
export const submitJob = Effect.fnUntraced(function* (
  request: SubmissionRequest,
  post: Effect.Effect<{ readonly jobId: JobId }, ScraperError>
): Effect.fn.Return<JobId, SourceError> {
  const journal = yield* CurrentJournal
  return yield* journal.submit(request, post).pipe(
    Effect.mapError(
      (error) =>
        new SourceError({
          source: request.kind,
          reason: error._tag === "ScraperError" ? new ApiFailed({ error }) : new LedgerFailed({ error })
        })
    )
  )
})
