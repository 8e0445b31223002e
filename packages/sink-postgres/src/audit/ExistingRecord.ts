import type { PageRecord } from "@sluice/core"
import { type JsonObject, PageStatus, weigh } from "@sluice/core/sink"
import { Effect, Option, Schema, Stream } from "effect"
import type { Database } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"

/** Rows that are read at once: a page may weigh ten megabytes. */
const rowsAtOnce = 50

const StandingRow = Schema.Struct({
  set_no: Schema.Int,
  page_key: Schema.String,
  job_id: Schema.String,
  url: Schema.String,
  parent_url: Schema.NullOr(Schema.String),
  depth: Schema.NullOr(Schema.Int),
  input_index: Schema.NullOr(Schema.Int),
  status: PageStatus,
  error_code: Schema.NullOr(Schema.String),
  error_message: Schema.NullOr(Schema.String),
  markdown: Schema.NullOr(Schema.String),
  html: Schema.NullOr(Schema.String),
  extra: Schema.NullOr(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json))),
  links: Schema.fromJsonString(Schema.Array(Schema.String)),
  fingerprint: Schema.NullOr(Schema.String),
  has_metadata: Schema.Boolean,
  http_status: Schema.NullOr(Schema.Int),
  duration_ms: Schema.NullOr(Schema.Int),
  retry_count: Schema.NullOr(Schema.Int),
  tokens_charged: Schema.NullOr(Schema.Int)
})

const decode = Schema.decodeUnknownEffect(Schema.Array(StandingRow))

/** A page as the tables hold it. */
export interface ExistingRecord {
  readonly record: PageRecord
  /** What it was landed as; null where an earlier version of Sluice landed it. */
  readonly fingerprint: bigint | null
  readonly hasMetadata: boolean
}

/** Which rows: those of these sets that these jobs have delivered, or that whichever job has. */
export interface Scope {
  readonly sets: ReadonlyArray<number>
  readonly jobs: ReadonlyArray<number> | null
}

const columns = `p.set_no, p.page_key::text AS page_key, j.job_id, p.url, p.parent_url, p.depth, p.input_index, p.status,
  p.error_code, p.error_message, p.markdown, p.html, p.extra::text AS extra, p.fingerprint::text AS fingerprint,
  to_json(ARRAY(SELECT l.url FROM links l WHERE l.set_no = p.set_no AND l.page_key = p.page_key ORDER BY l.position))::text
    AS links,
  m.job_no IS NOT NULL AS has_metadata, m.http_status, m.duration_ms, m.retry_count, m.tokens_charged`
// In merge mode an unchanged page names the job its content came from; its metadata, the job that delivered it last.
const deliveredBy = "coalesce(m.job_no, p.job_no)"
const from = `FROM pages p LEFT JOIN page_metadata m USING (set_no, page_key) JOIN jobs j ON j.job_no = ${deliveredBy}`
const inScope = `p.set_no = ANY ($1::int[]) AND ($2::int[] IS NULL OR ${deliveredBy} = ANY ($2::int[]))`

/** Names the pages in scope, by set and key; the sets are the first parameter, the jobs the second. */
export const pagesInScope = `SELECT p.set_no, p.page_key ${from} WHERE ${inScope}`

/** Every page in scope, in the order of the primary key. */
export const existingRecords = (
  database: Database,
  { jobs, sets }: Scope
): Stream.Stream<ExistingRecord, DatabaseError> =>
  Stream.paginate({ set: -1, key: "0" }, (after) =>
    database
      .query(
        `SELECT ${columns} ${from} WHERE ${inScope} AND (p.set_no, p.page_key) > ($3::int, $4::bigint)
         ORDER BY p.set_no, p.page_key LIMIT ${rowsAtOnce}`,
        [listOf(sets), jobs && listOf(jobs), after.set, after.key]
      )
      .pipe(
        Effect.flatMap((rows) => Effect.orDie(decode(rows))),
        Effect.map((rows) => {
          const last = rows.at(-1)
          return [
            rows.map(toRecord),
            rows.length < rowsAtOnce || last === undefined
              ? Option.none()
              : Option.some({ set: last.set_no, key: last.page_key })
          ] as const
        })
      )
  )

/** The pages in scope that have these keys, as they stand. */
export const existingOf = (
  database: Database,
  { jobs, sets }: Scope,
  keys: ReadonlyArray<bigint>
): Effect.Effect<ReadonlyArray<ExistingRecord>, DatabaseError> =>
  database
    .query(`SELECT ${columns} ${from} WHERE ${inScope} AND p.page_key = ANY ($3::bigint[])`, [
      listOf(sets),
      jobs && listOf(jobs),
      listOf(keys)
    ])
    .pipe(
      Effect.flatMap((rows) => Effect.orDie(decode(rows))),
      Effect.map((rows) => rows.map(toRecord))
    )

/** Numbers as an array literal. */
export const listOf = (numbers: ReadonlyArray<number | bigint>): string => `{${numbers.join(",")}}`

const toRecord = (row: typeof StandingRow.Type): ExistingRecord => {
  const record = {
    jobId: row.job_id,
    key: BigInt(row.page_key),
    url: row.url,
    inputIndex: row.input_index,
    parentUrl: row.parent_url,
    depth: row.depth,
    status: row.status,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    markdown: row.markdown,
    html: row.html,
    links: row.links,
    httpStatus: row.http_status,
    durationMs: row.duration_ms,
    retryCount: row.retry_count,
    tokensCharged: row.tokens_charged,
    extra: row.extra as JsonObject | null,
    refusal: null
  }
  return {
    record: { ...record, bytes: weigh(record) },
    fingerprint: row.fingerprint === null ? null : BigInt(row.fingerprint),
    hasMetadata: row.has_metadata
  }
}
