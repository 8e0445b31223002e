import { JobKind, Receipt, RunStatus } from "@sluice/core"
import { Effect, Schema } from "effect"

const Instant = Schema.String
const RunRow = Schema.Struct({
  run_id: Schema.String,
  pipeline: Schema.String,
  config_hash: Schema.String,
  status: Schema.Union([RunStatus, Schema.Literal("running")]),
  epoch: Schema.Int,
  started_at: Instant,
  finished_at: Schema.NullOr(Instant),
  receipt: Schema.NullOr(Receipt)
})
const SubmissionRow = Schema.Struct({
  ordinal: Schema.Int,
  kind: JobKind,
  url: Schema.String,
  request_hash: Schema.String,
  submitted_at: Instant,
  job_id: Schema.NullOr(Schema.String)
})
const KeysRow = Schema.Struct({ sink: Schema.String, seq: Schema.Int, keys: Schema.String })

// A row that does not decode was not written by this build: a defect, not a failure to handle.
/** Rows of `runs`, with {@link runColumns}. */
export const decodeRuns = (rows: unknown) => Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(RunRow))(rows))
/** Rows of `submissions`. */
export const decodeSubmissions = (rows: unknown) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(SubmissionRow))(rows))
/** Rows of `segments`, with their keys in base64. */
export const decodeKeys = (rows: unknown) => Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(KeysRow))(rows))

/** What of a run is read. */
export const runColumns = "run_id::text, pipeline, config_hash, status, epoch, started_at, finished_at, receipt"
