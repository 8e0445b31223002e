import { canonicalHash, pageKey } from "@sluice/core/sink"
import { makeSite } from "@sluice/testkit"
import { Effect } from "effect"
import type { Database } from "../src/index.ts"
import { packKeys } from "../src/ledger/CommittedKeys.ts"

/** The first set of migrations any database was prepared by. */
export const firstSet = 2
export const endedRun = "01890000-0000-7000-8000-000000000001"
export const openRun = "01890000-0000-7000-8000-000000000002"
/** {@link endedRun} as earlier builds replayed it into the pipeline `copy`, and a replay of a run that this database never held. */
export const replays = ["b262d558-cd56-89ac-9179-9e19aedf8fe7", "01890000-0000-8000-8000-000000000003"]
export const request = { url: "https://site.test/", formats: ["markdown"] } as const
export const site = makeSite({ pages: 60, seed: 3 })
const loaded = site.pages.slice(0, 20).map(({ url }) => url)

const endedReceipt = {
  run_id: endedRun,
  pipeline: "old",
  config_hash: "c0ffee",
  status: "completed",
  started_at: "2026-06-01T10:00:00.000Z",
  finished_at: "2026-06-01T10:05:00.000Z",
  jobs: [],
  pages: { discovered: 7, completed: 7, failed: 0, cancelled: 0, delivered: 7 },
  tokens: { charged: 7, reserved: 0 },
  sinks: [],
  requests: { submitted: 1, reads: 2, retries: 0 }
}

/** A record as builds before this one kept it as a dead letter. */
export const quarantined = {
  jobId: "job-of-old",
  key: "1",
  url: "https://site.test/aside",
  inputIndex: null,
  parentUrl: null,
  depth: 1,
  status: "completed",
  errorCode: null,
  errorMessage: null,
  markdown: "a\0b",
  html: null,
  links: [],
  httpStatus: 200,
  durationMs: 1,
  retryCount: 0,
  tokensCharged: 1,
  bytes: 300
}

/** Writes what the first build wrote: a run that has ended, and one that died when it held 20 pages of its job. */
export const leaveBehind = Effect.fnUntraced(function* (database: Database, hash: string, jobId: string) {
  const { query } = database
  yield* query(
    `INSERT INTO runs (run_id, pipeline, config_hash, status, started_at, finished_at, receipt)
     VALUES ($1, 'old', 'c0ffee', 'completed', '2026-06-01T10:00:00Z', '2026-06-01T10:05:00Z', $2)`,
    [endedRun, JSON.stringify(endedReceipt)]
  )
  yield* query(
    "INSERT INTO runs (run_id, pipeline, config_hash, epoch, started_at) VALUES ($1, 'old', $2, 3, '2026-06-02T10:00:00Z')",
    [openRun, hash]
  )
  yield* query(
    `INSERT INTO runs (run_id, pipeline, config_hash, status, started_at, finished_at, receipt)
     SELECT replay, 'copy', 'c0ffee', 'completed', '2026-06-01T10:00:00Z', '2026-06-01T10:05:00Z', $2
     FROM unnest($1::uuid[]) replay`,
    [`{${replays.join(",")}}`, JSON.stringify(endedReceipt)]
  )
  for (const [runId, job] of [
    [endedRun, "job-of-old"],
    [openRun, jobId]
  ]) {
    yield* query(
      `INSERT INTO submissions (run_id, ordinal, kind, url, request_hash, submitted_at, job_id)
       VALUES ($1, 0, 'crawl', $2, $3, '2026-06-02T10:00:00Z', $4)`,
      [runId, request.url, canonicalHash(request), job]
    )
    yield* query("INSERT INTO jobs (job_id, run_id, kind, url, status) VALUES ($1, $2, 'crawl', $3, 'processing')", [
      job,
      runId,
      request.url
    ])
  }
  yield* query("UPDATE jobs SET status = 'completed' WHERE job_id = 'job-of-old'")
  yield* query(
    `INSERT INTO token_summaries (job_no, pages_discovered, pages_completed, pages_failed, pages_cancelled, tokens_charged,
       tokens_reserved, observed_at)
     SELECT job_no, 7, 7, 0, 0, 7, 0, '2026-06-01T10:04:00Z' FROM jobs WHERE job_id = 'job-of-old'`
  )
  yield* query("INSERT INTO page_sets (pipeline, sink, mode, job_no) VALUES ('old', 'postgres', 'merge', NULL)")
  yield* query(
    `INSERT INTO pages (set_no, page_key, job_no, url, depth, status, markdown, landed_at)
     SELECT set_no, k.key, jobs.job_no, u.url, 1, 'completed', 'as it landed', '2026-06-02T10:01:00Z'
     FROM page_sets, jobs, unnest($1::text[]) WITH ORDINALITY AS u (url, at)
     JOIN unnest($2::bigint[]) WITH ORDINALITY AS k (key, at) USING (at) WHERE job_id = $3`,
    [`{${loaded.join(",")}}`, `{${loaded.map((url) => pageKey(url)).join(",")}}`, jobId]
  )
  yield* query("INSERT INTO page_metadata (set_no, page_key, job_no) SELECT set_no, page_key, job_no FROM pages")
  yield* query(
    `INSERT INTO segments (run_id, sink, seq, epoch, bytes, keys, pages, links, page_metadata, token_summaries, dead_letters)
     VALUES ($1, 'postgres', 1, 3, 100, $2, 20, 0, 20, 0, 0)`,
    [openRun, packKeys([{ jobId, keys: BigInt64Array.from(loaded, (url) => pageKey(url)) }])]
  )
  yield* query(
    `INSERT INTO dead_letters (run_id, sink, job_id, page_key, url, reason, detail, raw)
     VALUES ($1, 'postgres', 'job-of-old', $2, $3, 'nul_byte', 'text with a NUL byte', $4)`,
    [endedRun, pageKey(quarantined.url), quarantined.url, JSON.stringify(quarantined)]
  )
  // Builds that knew a column filled it in.
  const hasColumn = (table: string, column: string) =>
    Effect.map(
      query("SELECT FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 AND column_name = $3", [
        database.schema,
        table,
        column
      ]),
      (rows) => rows.length > 0
    )
  if (yield* hasColumn("dead_letters", "pipeline")) yield* query("UPDATE dead_letters SET pipeline = 'old'")
  if (yield* hasColumn("runs", "replayed_from")) {
    for (const [replay, source] of [
      [replays[0], endedRun],
      [replays[1], "unknown"]
    ])
      yield* query("UPDATE runs SET replayed_from = $2 WHERE run_id = $1", [replay, source])
  }
})
