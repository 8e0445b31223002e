import { sql } from "drizzle-orm"
import {
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid
} from "drizzle-orm/pg-core"
import { bytea, contentColumns, count, fetchColumns, instant, pageKey } from "./schemaColumns.ts"

export * from "./historySchema.ts"
export * from "./scheduleSchema.ts"

// Names are unqualified on purpose: the schema a user chooses is applied by search_path. There are no foreign keys. On the
// data tables each would cost a lookup and a row lock for every row of a COPY, and what it would prove holds by construction
// (sets and jobs are registered and committed before the first row that names them). Rows of the ledger are written under a
// lock on their run's row, which proves the same; and drizzle-kit writes references qualified with "public".

/**
 * What rows belong together and replace each other: one set a job in `append`, one a run in `replace`, one a pipeline and sink
 * in `merge` and `history`. Readers see the sets that are current: all of them, but in `replace` one at most.
 */
export const pageSets = pgTable(
  "page_sets",
  {
    setNo: integer("set_no").primaryKey().generatedAlwaysAsIdentity(),
    pipeline: text("pipeline").notNull(),
    sink: text("sink").notNull(),
    mode: text("mode").notNull(),
    jobNo: integer("job_no"),
    runId: uuid("run_id"),
    state: text("state").notNull().default("current"),
    countedRun: uuid("counted_run"),
    countedRunAt: instant("counted_run_at"),
    completedPages: integer("completed_pages")
  },
  (t) => [
    unique("page_sets_identity").on(t.pipeline, t.sink, t.mode, t.jobNo, t.runId).nullsNotDistinct(),
    uniqueIndex("page_sets_replace_current").on(t.pipeline, t.sink).where(sql`mode = 'replace' and state = 'current'`),
    check(
      "page_sets_mode_check",
      sql`(${t.mode} = 'append') = (${t.jobNo} is not null) and (${t.mode} = 'replace') = (${t.runId} is not null)
        and ${t.mode} in ('append', 'merge', 'replace', 'history')`
    ),
    check(
      "page_sets_state_check",
      sql`${t.state} = 'current' or ${t.mode} = 'replace' and ${t.state} in ('open', 'superseded', 'removed')`
    )
  ]
)

/** The pages themselves. */
export const pages = pgTable(
  "pages",
  {
    setNo: integer("set_no").notNull(),
    pageKey: pageKey().notNull(),
    jobNo: integer("job_no").notNull(),
    ...contentColumns(),
    landedAt: instant("landed_at").notNull().defaultNow()
  },
  (t) => [
    primaryKey({ name: "pages_pkey", columns: [t.setNo, t.pageKey] }),
    // A btree refuses entries of more than about 2,700 bytes, and a URL may be longer.
    index("pages_url_idx").using("hash", t.url),
    index("pages_job_no_idx").on(t.jobNo),
    check("pages_status_check", sql`${t.status} in ('completed', 'failed', 'cancelled')`)
  ]
)

/** The links of the pages, in document order. */
export const links = pgTable(
  "links",
  {
    setNo: integer("set_no").notNull(),
    pageKey: pageKey().notNull(),
    position: integer("position").notNull(),
    url: text("url").notNull()
  },
  (t) => [
    primaryKey({ name: "links_pkey", columns: [t.setNo, t.pageKey, t.position] }),
    // Asked through `links_to(url)`. Of the eight bytes only: a URL may be too long for a btree, and a hash index walks a
    // chain for every further copy of a URL, which the links of a site's menu make long.
    index("links_url_hash_idx").using("btree", sql`hashtextextended(${t.url}, 0)`)
  ]
)

/** How each page was fetched and what it cost. */
export const pageMetadata = pgTable(
  "page_metadata",
  {
    setNo: integer("set_no").notNull(),
    pageKey: pageKey().notNull(),
    jobNo: integer("job_no").notNull(),
    ...fetchColumns()
  },
  (t) => [
    primaryKey({ name: "page_metadata_pkey", columns: [t.setNo, t.pageKey] }),
    index("page_metadata_job_no_idx").on(t.jobNo)
  ]
)

/** The latest counters of each job. */
export const tokenSummaries = pgTable(
  "token_summaries",
  {
    jobNo: integer("job_no").primaryKey(),
    pagesDiscovered: count("pages_discovered").notNull(),
    pagesCompleted: count("pages_completed").notNull(),
    pagesFailed: count("pages_failed").notNull(),
    pagesCancelled: count("pages_cancelled").notNull(),
    tokensCharged: count("tokens_charged").notNull(),
    tokensReserved: count("tokens_reserved").notNull(),
    observedAt: instant("observed_at").notNull()
  },
  (t) => [index("token_summaries_observed_at_idx").on(t.observedAt)]
)

/** The jobs whose pages landed here. */
export const jobs = pgTable(
  "jobs",
  {
    jobNo: integer("job_no").primaryKey().generatedAlwaysAsIdentity(),
    jobId: text("job_id").notNull().unique("jobs_job_id_key"),
    runId: uuid("run_id").notNull(),
    kind: text("kind"),
    url: text("url"),
    status: text("status"),
    firstSeenAt: instant("first_seen_at").notNull().defaultNow()
  },
  (t) => [index("jobs_run_id_idx").on(t.runId)]
)

/** The ledger: runs. */
export const runs = pgTable(
  "runs",
  {
    runId: uuid("run_id").primaryKey(),
    pipeline: text("pipeline").notNull(),
    configHash: text("config_hash").notNull(),
    status: text("status").notNull().default("running"),
    epoch: integer("epoch").notNull().default(1),
    startedAt: instant("started_at").notNull(),
    replayedFrom: text("replayed_from"),
    finishedAt: instant("finished_at"),
    receipt: jsonb("receipt"),
    supersededReceipts: jsonb("superseded_receipts"),
    publishedAt: instant("published_at"),
    holder: text("holder"),
    leaseUntil: instant("lease_until"),
    session: text("session"),
    tokens: count("tokens")
  },
  (t) => [
    index("runs_started_at_idx").on(t.startedAt.desc()),
    index("runs_pipeline_idx").on(t.pipeline, t.startedAt.desc())
  ]
)

/** The ledger: paid work about to be asked for, and the job it became. */
export const submissions = pgTable(
  "submissions",
  {
    runId: uuid("run_id").notNull(),
    ordinal: integer("ordinal").notNull(),
    kind: text("kind").notNull(),
    url: text("url").notNull(),
    requestHash: text("request_hash").notNull(),
    submittedAt: instant("submitted_at").notNull(),
    jobId: text("job_id"),
    tokens: count("tokens").notNull().default(0)
  },
  (t) => [
    primaryKey({ name: "submissions_pkey", columns: [t.runId, t.ordinal] }),
    index("submissions_job_id_idx").on(t.jobId)
  ]
)

/** The ledger: segments that stand in a sink. */
export const segments = pgTable(
  "segments",
  {
    runId: uuid("run_id").notNull(),
    sink: text("sink").notNull(),
    seq: integer("seq").notNull(),
    epoch: integer("epoch").notNull(),
    bytes: bigint("bytes", { mode: "number" }).notNull(),
    keys: bytea("keys").notNull(),
    pages: integer("pages").notNull(),
    links: integer("links").notNull(),
    pageMetadata: integer("page_metadata").notNull(),
    tokenSummaries: integer("token_summaries").notNull(),
    deadLetters: integer("dead_letters").notNull(),
    drift: text("drift").array(),
    failures: jsonb("failures"),
    tally: jsonb("tally"),
    committedAt: instant("committed_at").notNull().defaultNow()
  },
  (t) => [primaryKey({ name: "segments_pkey", columns: [t.runId, t.sink, t.seq] })]
)

/** The ledger: what somebody is to be told of the end of a run, until it was delivered. */
export const notices = pgTable(
  "notices",
  {
    noticeId: uuid("notice_id").primaryKey(),
    runId: uuid("run_id").notNull(),
    epoch: integer("epoch").notNull(),
    pipeline: text("pipeline").notNull(),
    target: text("target").notNull(),
    event: text("event").notNull(),
    receipt: jsonb("receipt").notNull(),
    createdAt: instant("created_at").notNull().defaultNow(),
    attempts: integer("attempts").notNull().default(0),
    /** When it was delivered or given up. */
    settledAt: instant("settled_at")
  },
  (t) => [
    unique("notices_identity").on(t.runId, t.epoch, t.target, t.event),
    index("notices_pipeline_idx").on(t.pipeline, t.createdAt)
  ]
)

/** Quarantined records. */
export const deadLetters = pgTable(
  "dead_letters",
  {
    id: bigint("letter_no", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    runId: uuid("run_id").notNull(),
    pipeline: text("pipeline"),
    sink: text("sink").notNull(),
    jobId: text("job_id").notNull(),
    pageKey: pageKey().notNull(),
    url: text("url").notNull(),
    reason: text("reason").notNull(),
    detail: text("detail").notNull(),
    raw: text("raw").notNull(),
    createdAt: instant("created_at").notNull().defaultNow(),
    replayedAt: instant("replayed_at")
  },
  (t) => [unique("dead_letters_identity").on(t.runId, t.sink, t.jobId, t.pageKey)]
)
