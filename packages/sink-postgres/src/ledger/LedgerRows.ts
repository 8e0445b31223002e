import { Receipt } from "@sluice/core"
import { FailureCount, JobCounters, JobKind, RunStatus } from "@sluice/core/sink"
import { Effect, Schema } from "effect"

const Instant = Schema.String
const RunRow = Schema.Struct({
  run_id: Schema.String,
  pipeline: Schema.String,
  config_hash: Schema.String,
  status: Schema.Union([RunStatus, Schema.Literal("running")]),
  epoch: Schema.Int,
  started_at: Instant,
  replayed_from: Schema.NullOr(Schema.String),
  finished_at: Schema.NullOr(Instant),
  published_at: Schema.NullOr(Instant),
  receipt: Schema.NullOr(Receipt),
  superseded_receipts: Schema.NullOr(Schema.Array(Receipt))
})
const OpenRunRow = Schema.Struct({
  run_id: Schema.String,
  pipeline: Schema.String,
  config_hash: Schema.String,
  started_at: Instant,
  replayed_from: Schema.NullOr(Schema.String),
  finished_at: Schema.NullOr(Instant),
  holder: Schema.NullOr(Schema.String),
  lease_left_ms: Schema.Finite
})
const LandedRow = Schema.Struct({
  sink: Schema.String,
  last_seq: Schema.Int,
  pages: Schema.Int,
  links: Schema.Int,
  page_metadata: Schema.Int,
  token_summaries: Schema.Int,
  dead_letters: Schema.Int,
  tally: Schema.Record(Schema.String, Schema.Int)
})
const SubmissionRow = Schema.Struct({
  ordinal: Schema.Int,
  kind: JobKind,
  url: Schema.String,
  request_hash: Schema.String,
  submitted_at: Instant,
  tokens: Schema.Int,
  job_id: Schema.NullOr(Schema.String)
})
const FailureRow = Schema.Struct({
  ...FailureCount.fields,
  http_status: Schema.NullOr(Schema.Int),
  sink: Schema.String
})
const KeysRow = Schema.Struct({ sink: Schema.String, seq: Schema.Int, epoch: Schema.Int, keys: Schema.String })

// A row that does not decode was not written by this build: a defect, not a failure to handle.
/** Rows of `runs`, with {@link runColumns}. */
export const decodeRuns = (rows: unknown) => Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(RunRow))(rows))
/** Rows of `submissions`. */
export const decodeSubmissions = (rows: unknown) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(SubmissionRow))(rows))
/** Rows of `segments`, with their keys in base64. */
export const decodeKeys = (rows: unknown) => Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(KeysRow))(rows))

/** Rows of `runs`, with {@link openRunColumns}. */
export const decodeOpenRuns = (rows: unknown) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(OpenRunRow))(rows))
/** Sums over `segments`, a row a sink. */
export const decodeLoaded = (rows: unknown) => Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(LandedRow))(rows))
/** Failed pages by sink and code. */
export const decodeFailures = (rows: unknown) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(FailureRow))(rows))
/** Rows of `jobs` with their `token_summaries`. */
export const decodeSnapshots = (rows: unknown) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(JobCounters))(rows))

/** What of a run is read to take it over; a lease that is not there is past. */
export const openRunColumns = `run_id::text, pipeline, config_hash, started_at, replayed_from, finished_at, holder,
  coalesce(extract(epoch FROM lease_until - now()) * 1000, 0)::float8 AS lease_left_ms`
/** What of a run is read. */
export const runColumns =
  "run_id::text, pipeline, config_hash, status, epoch, started_at, replayed_from, finished_at, published_at, receipt, superseded_receipts"
