import { Schema } from "effect"
import { JobKind } from "../record/JobSnapshot.ts"
import { FailureCount } from "../record/PageFailures.ts"

/** How a run ended. */
export const RunStatus = Schema.Literals([
  "completed",
  "failed",
  "stopped_budget",
  "incomplete",
  "halted",
  "interrupted"
])
export type RunStatus = typeof RunStatus.Type

/** A number of rows for each dataset. */
export const RowCounts = Schema.Struct({
  pages: Schema.Int,
  links: Schema.Int,
  page_metadata: Schema.Int,
  token_summaries: Schema.Int
})

/** What keeps a run that was loaded whole from readers: its expectations, its dead letters, or what readers would lose. */
export const PublishGuard = Schema.Literals(["expect", "quarantine", "content", "shrink"])
export type PublishGuard = typeof PublishGuard.Type

/**
 * What a finished run can prove, and the schema of it. `pages.discovered` to `pages.cancelled` are the API's counts,
 * `pages.delivered` is ours; `rows` are those of this run's records in each sink, `dead_letters` the quarantined records.
 * `requests.reads` and `requests.submitted` count requests, `requests.retries` the attempts beyond the first.
 *
 * Times are ISO 8601 in UTC, `tokens` are tokens of the API. A receipt exists for failed runs too: check `status`. Decoding fails
 * with a `SchemaError`.
 *
 * @example
 * ```ts
 * import { Receipt } from "@sluice/core"
 * import { Effect, Schema } from "effect"
 *
 * const charged = (json: string) =>
 *   Effect.map(Schema.decodeUnknownEffect(Schema.fromJsonString(Receipt))(json), ({ tokens }) => tokens.charged)
 * ```
 */
export const Receipt = Schema.Struct({
  run_id: Schema.String,
  pipeline: Schema.String,
  config_hash: Schema.String,
  status: RunStatus,
  started_at: Schema.String,
  finished_at: Schema.String,
  jobs: Schema.Array(
    Schema.Struct({ job_id: Schema.String, kind: JobKind, url: Schema.String, status: Schema.String })
  ),
  pages: Schema.Struct({
    discovered: Schema.Int,
    completed: Schema.Int,
    failed: Schema.Int,
    cancelled: Schema.Int,
    delivered: Schema.Int
  }),
  tokens: Schema.Struct({ charged: Schema.Int, reserved: Schema.Int }),
  sinks: Schema.Array(
    Schema.Struct({ name: Schema.String, kind: Schema.String, rows: RowCounts, dead_letters: Schema.Int })
  ),
  requests: Schema.Struct({ submitted: Schema.Int, reads: Schema.Int, retries: Schema.Int }),
  /**
   * Delivered pages that failed, by error code, the most frequent first; with up to three URLs, and a hint where there is one. Absent
   * where no page failed.
   */
  failures: Schema.optionalKey(
    Schema.Array(Schema.Struct({ ...FailureCount.fields, hint: Schema.optionalKey(Schema.String) }))
  ),
  /** Members of the API's results that are not known here, where there are any: see `drift` in pipeline files. */
  drift: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Present where the run was loaded whole and not published: by which guard, and what readers see of it in each sink. */
  unpublished: Schema.optionalKey(
    Schema.Struct({
      guard: PublishGuard,
      sinks: Schema.Array(Schema.Struct({ name: Schema.String, readers: Schema.String }))
    })
  ),
  /** Why the run did not complete, in a sentence; absent when it did. */
  reason: Schema.optionalKey(Schema.String),
  /** What the counts do not explain by themselves, a sentence each; absent where there is nothing to explain. */
  notes: Schema.optionalKey(Schema.Array(Schema.String)),
  /**
   * The earlier receipt of this run that this one supersedes: the run had ended, and its jobs were read again. `sha256` is that of
   * the earlier receipt's canonical JSON. The earlier one stays in the ledger as it was.
   */
  supersedes: Schema.optionalKey(
    Schema.Struct({ status: RunStatus, finished_at: Schema.String, sha256: Schema.String })
  )
}).annotate({ identifier: "Receipt" })
export type Receipt = typeof Receipt.Type
