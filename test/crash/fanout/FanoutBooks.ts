import { Receipt } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { Effect, Schema } from "effect"
import { pageLine } from "../Work.ts"

const Page = Schema.Struct({ url: Schema.String, input_index: Schema.NullOr(Schema.Int), links: Schema.Int })

const Run = Schema.Struct({
  run_id: Schema.String,
  status: Schema.String,
  receipt: Schema.NullOr(Receipt),
  tokens: Schema.Int,
  submitted: Schema.Array(Schema.String)
})

/** What a database says of a pipeline: what its readers see, and what its ledger holds, the oldest run first. */
export interface FanoutBooks {
  readonly pages: ReadonlyArray<string>
  readonly runs: ReadonlyArray<typeof Run.Type>
}

type Database = Effect.Success<ReturnType<typeof Postgres.open>>

const pagesOf = `
SELECT p.url, p.input_index,
  (SELECT count(*) FROM links l WHERE l.set_no = p.set_no AND l.page_key = p.page_key)::int AS links
FROM pages p JOIN page_sets s USING (set_no) WHERE s.pipeline = $1 AND s.state = 'current'`

const runsOf = `
SELECT run_id::text, status, CASE WHEN finished_at IS NULL THEN NULL ELSE receipt END AS receipt,
  (SELECT coalesce(sum(t.tokens_charged), 0) FROM token_summaries t JOIN jobs j USING (job_no)
    WHERE j.run_id = r.run_id)::int AS tokens,
  (SELECT coalesce(json_agg(job_id), '[]') FROM submissions s WHERE s.run_id = r.run_id AND job_id IS NOT NULL) AS submitted
FROM runs r WHERE pipeline = $1 ORDER BY started_at`

/** Reads the books of a pipeline. */
export const readFanoutBooks = Effect.fnUntraced(function* (database: Database, pipeline: string) {
  const rows = (sql: string) => Postgres.query(database, sql, { parameters: [pipeline] })
  const pages = yield* Schema.decodeUnknownEffect(Schema.Array(Page))(yield* rows(pagesOf))
  const runs = yield* Schema.decodeUnknownEffect(Schema.Array(Run))(yield* rows(runsOf))
  const chargeLedger: FanoutBooks = {
    pages: pages.map(({ input_index, links, url }) => pageLine(url, input_index, links)).sort(),
    runs
  }
  return chargeLedger
}, Effect.orDie)
