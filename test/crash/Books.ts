import { isDeepStrictEqual } from "node:util"
import { RunStatus } from "@sluice/core/sink"
import { Postgres } from "@sluice/sink-postgres"
import { Effect, Schema } from "effect"
import { RowCounts } from "../../packages/core/src/ledger/Receipt.ts"

const Page = Schema.Struct({
  url: Schema.String,
  input_index: Schema.NullOr(Schema.Int),
  links: Schema.Int,
  metadata: Schema.Int
})

const Run = Schema.Struct({
  run_id: Schema.String,
  status: Schema.Union([RunStatus, Schema.Literal("running")]),
  is_over: Schema.Boolean,
  holder: Schema.NullOr(Schema.String),
  delivered: Schema.NullOr(Schema.Int),
  charged: Schema.NullOr(Schema.Int),
  rows: Schema.NullOr(RowCounts)
})

const Letter = Schema.Struct({ url: Schema.String, reason: Schema.String })

const Totals = Schema.Struct({
  standing: RowCounts,
  committed: RowCounts,
  setAside: Schema.Int,
  tokens: Schema.Int,
  submitted: Schema.Array(Schema.String)
})

/** Everything our side has written down about a pipeline. */
export interface Books {
  readonly pages: ReadonlyArray<typeof Page.Type>
  readonly runs: ReadonlyArray<typeof Run.Type>
  /** Records set aside, and how many of them the ledger holds for committed. */
  readonly letters: ReadonlyArray<typeof Letter.Type>
  readonly setAside: number
  /** Rows that stand in the tables, and rows the ledger holds for committed. */
  readonly standing: typeof RowCounts.Type
  readonly committed: typeof RowCounts.Type
  readonly tokens: number
  /** The jobs our submissions became. */
  readonly submitted: ReadonlyArray<string>
}

type Database = Effect.Success<ReturnType<typeof Postgres.open>>

const pagesOf = `
SELECT p.url, p.input_index,
  (SELECT count(*) FROM links l WHERE l.set_no = p.set_no AND l.page_key = p.page_key)::int AS links,
  (SELECT count(*) FROM page_metadata m WHERE m.set_no = p.set_no AND m.page_key = p.page_key)::int AS metadata
FROM pages p JOIN page_sets s USING (set_no) WHERE s.pipeline = $1`

const runsOf = `
SELECT run_id::text, status, finished_at IS NOT NULL AS is_over, holder,
  (receipt->'pages'->>'delivered')::int AS delivered, (receipt->'tokens'->>'charged')::int AS charged,
  receipt->'sinks'->0->'rows' AS rows
FROM runs WHERE pipeline = $1 ORDER BY started_at`

const totalsOf = `
WITH sets AS (SELECT set_no FROM page_sets WHERE pipeline = $1),
  mine AS (SELECT t.tokens_charged FROM token_summaries t JOIN jobs USING (job_no) JOIN runs r USING (run_id)
    WHERE r.pipeline = $1),
  landed AS (SELECT s.* FROM segments s JOIN runs r USING (run_id) WHERE r.pipeline = $1 AND s.sink = 'postgres')
SELECT
  json_build_object('pages', (SELECT count(*) FROM pages JOIN sets USING (set_no)),
    'links', (SELECT count(*) FROM links JOIN sets USING (set_no)),
    'page_metadata', (SELECT count(*) FROM page_metadata JOIN sets USING (set_no)),
    'token_summaries', (SELECT count(*) FROM mine)) AS standing,
  (SELECT json_build_object('pages', coalesce(sum(pages), 0), 'links', coalesce(sum(links), 0),
    'page_metadata', coalesce(sum(page_metadata), 0), 'token_summaries', coalesce(sum(token_summaries), 0))
    FROM landed) AS committed,
  (SELECT coalesce(sum(dead_letters), 0) FROM landed)::int AS "setAside",
  (SELECT coalesce(sum(tokens_charged), 0) FROM mine)::int AS tokens,
  (SELECT coalesce(json_agg(job_id), '[]') FROM submissions JOIN runs r USING (run_id)
    WHERE r.pipeline = $1 AND job_id IS NOT NULL) AS submitted`

/** Reads the books of a pipeline. */
export const readBooks = Effect.fnUntraced(function* (database: Database, pipeline: string) {
  const rows = (sql: string) => Postgres.query(database, sql, { parameters: [pipeline] })
  const pages = yield* Schema.decodeUnknownEffect(Schema.Array(Page))(yield* rows(pagesOf))
  const runs = yield* Schema.decodeUnknownEffect(Schema.Array(Run))(yield* rows(runsOf))
  const letters = yield* Schema.decodeUnknownEffect(Schema.Array(Letter))(
    yield* rows("SELECT url, reason FROM dead_letters WHERE pipeline = $1")
  )
  const [totals] = yield* Schema.decodeUnknownEffect(Schema.Tuple([Totals]))(yield* rows(totalsOf))
  const chargeLedger: Books = { pages, runs, letters, ...totals }
  return chargeLedger
})

/** What has been half landed: rows without their segment's commit, a commit without its rows, a page without what came with it. */
export const tornIn = ({ committed, letters, pages, setAside, standing }: Books): ReadonlyArray<string> =>
  untrue([
    [
      // A job's counters come with many segments.
      isDeepStrictEqual({ ...committed, token_summaries: standing.token_summaries }, standing) &&
        committed.token_summaries >= standing.token_summaries,
      `the tables hold ${JSON.stringify(standing)}, the ledger ${JSON.stringify(committed)}`
    ],
    [letters.length === setAside, `${letters.length} records are set aside, the ledger holds ${setAside}`],
    [pages.every(({ metadata }) => metadata === 1), "there are pages without their metadata"]
  ])

/** Says what does not hold. */
export const untrue = (checks: ReadonlyArray<readonly [holds: boolean, what: string]>): ReadonlyArray<string> =>
  checks.flatMap(([holds, what]) => (holds ? [] : [what]))
