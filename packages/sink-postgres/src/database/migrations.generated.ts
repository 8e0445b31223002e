// Written by scripts/writeMigrations.ts from the workspace's migrations; not edited by hand.

/** One step of the database's preparation; ids sort in the order of application. */
export interface Migration {
  readonly id: string
  readonly sql: string
}

/** The tables they make; kept here because drizzle's schema costs 200 MB to import. */
export const tableNames: ReadonlyArray<string> = [
  "dead_letters",
  "jobs",
  "links",
  "missing_pages",
  "notices",
  "page_history",
  "page_metadata",
  "page_sets",
  "pages",
  "runs",
  "schedules",
  "segments",
  "submissions",
  "ticks",
  "token_summaries"
]

/** The columns of each, with their types, and the columns that together name a row. */
export const tableShapes: Readonly<
  Record<
    string,
    { readonly columns: Readonly<Record<string, string>>; readonly keys: ReadonlyArray<ReadonlyArray<string>> }
  >
> = {
  dead_letters: {
    columns: {
      letter_no: "bigint",
      run_id: "uuid",
      pipeline: "text",
      sink: "text",
      job_id: "text",
      page_key: "bigint",
      url: "text",
      reason: "text",
      detail: "text",
      raw: "text",
      created_at: "timestamp with time zone",
      replayed_at: "timestamp with time zone"
    },
    keys: [["letter_no"], ["run_id", "sink", "job_id", "page_key"]]
  },
  jobs: {
    columns: {
      job_no: "integer",
      job_id: "text",
      run_id: "uuid",
      kind: "text",
      url: "text",
      status: "text",
      first_seen_at: "timestamp with time zone"
    },
    keys: [["job_no"], ["job_id"]]
  },
  links: {
    columns: {
      set_no: "integer",
      page_key: "bigint",
      position: "integer",
      url: "text"
    },
    keys: [["set_no", "page_key", "position"]]
  },
  missing_pages: {
    columns: {
      set_no: "integer",
      page_key: "bigint",
      misses: "integer",
      since: "timestamp with time zone"
    },
    keys: [["set_no", "page_key"]]
  },
  notices: {
    columns: {
      notice_id: "uuid",
      run_id: "uuid",
      epoch: "integer",
      pipeline: "text",
      target: "text",
      event: "text",
      receipt: "jsonb",
      created_at: "timestamp with time zone",
      attempts: "integer",
      settled_at: "timestamp with time zone"
    },
    keys: [["notice_id"], ["run_id", "epoch", "target", "event"]]
  },
  page_history: {
    columns: {
      set_no: "integer",
      page_key: "bigint",
      valid_from: "timestamp with time zone",
      valid_to: "timestamp with time zone",
      closed_as: "text",
      job_no: "integer",
      url: "text",
      parent_url: "text",
      depth: "integer",
      input_index: "integer",
      status: "text",
      error_code: "text",
      error_message: "text",
      markdown: "text",
      html: "text",
      fingerprint: "bigint",
      extra: "jsonb",
      http_status: "integer",
      duration_ms: "integer",
      retry_count: "integer",
      tokens_charged: "integer",
      links: "text[]"
    },
    keys: [["set_no", "page_key", "valid_from"]]
  },
  page_metadata: {
    columns: {
      set_no: "integer",
      page_key: "bigint",
      job_no: "integer",
      http_status: "integer",
      duration_ms: "integer",
      retry_count: "integer",
      tokens_charged: "integer"
    },
    keys: [["set_no", "page_key"]]
  },
  page_sets: {
    columns: {
      set_no: "integer",
      pipeline: "text",
      sink: "text",
      mode: "text",
      job_no: "integer",
      run_id: "uuid",
      state: "text",
      counted_run: "uuid",
      counted_run_at: "timestamp with time zone",
      completed_pages: "integer"
    },
    keys: [["set_no"], ["pipeline", "sink", "mode", "job_no", "run_id"]]
  },
  pages: {
    columns: {
      set_no: "integer",
      page_key: "bigint",
      job_no: "integer",
      url: "text",
      parent_url: "text",
      depth: "integer",
      input_index: "integer",
      status: "text",
      error_code: "text",
      error_message: "text",
      markdown: "text",
      html: "text",
      fingerprint: "bigint",
      extra: "jsonb",
      landed_at: "timestamp with time zone"
    },
    keys: [["set_no", "page_key"]]
  },
  runs: {
    columns: {
      run_id: "uuid",
      pipeline: "text",
      config_hash: "text",
      status: "text",
      epoch: "integer",
      started_at: "timestamp with time zone",
      replayed_from: "text",
      finished_at: "timestamp with time zone",
      receipt: "jsonb",
      superseded_receipts: "jsonb",
      published_at: "timestamp with time zone",
      holder: "text",
      lease_until: "timestamp with time zone",
      session: "text",
      tokens: "bigint"
    },
    keys: [["run_id"]]
  },
  schedules: {
    columns: {
      pipeline: "text",
      decided_until: "timestamp with time zone"
    },
    keys: [["pipeline"]]
  },
  segments: {
    columns: {
      run_id: "uuid",
      sink: "text",
      seq: "integer",
      epoch: "integer",
      bytes: "bigint",
      keys: "bytea",
      pages: "integer",
      links: "integer",
      page_metadata: "integer",
      token_summaries: "integer",
      dead_letters: "integer",
      drift: "text[]",
      failures: "jsonb",
      tally: "jsonb",
      committed_at: "timestamp with time zone"
    },
    keys: [["run_id", "sink", "seq"]]
  },
  submissions: {
    columns: {
      run_id: "uuid",
      ordinal: "integer",
      kind: "text",
      url: "text",
      request_hash: "text",
      submitted_at: "timestamp with time zone",
      job_id: "text",
      tokens: "bigint"
    },
    keys: [["run_id", "ordinal"]]
  },
  ticks: {
    columns: {
      pipeline: "text",
      due_at: "timestamp with time zone",
      start_at: "timestamp with time zone",
      run_id: "uuid",
      state: "text",
      decided_at: "timestamp with time zone"
    },
    keys: [["pipeline", "due_at"]]
  },
  token_summaries: {
    columns: {
      job_no: "integer",
      pages_discovered: "bigint",
      pages_completed: "bigint",
      pages_failed: "bigint",
      pages_cancelled: "bigint",
      tokens_charged: "bigint",
      tokens_reserved: "bigint",
      observed_at: "timestamp with time zone"
    },
    keys: [["job_no"]]
  }
}

/** The views they make. */
export const viewNames: ReadonlyArray<string> = [
  "broken_links",
  "changed_pages",
  "current_links",
  "current_page_metadata",
  "current_pages",
  "daily_tokens",
  "page_degrees",
  "page_versions"
]

/** Every migration this build knows. */
export const migrations: ReadonlyArray<Migration> = [
  {
    id: "0000_tables",
    sql: `CREATE TABLE "dead_letters" (
	"letter_no" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "dead_letters_letter_no_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"run_id" uuid NOT NULL,
	"sink" text NOT NULL,
	"job_id" text NOT NULL,
	"page_key" bigint NOT NULL,
	"url" text NOT NULL,
	"reason" text NOT NULL,
	"detail" text NOT NULL,
	"raw" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "dead_letters_identity" UNIQUE("run_id","sink","job_id","page_key")
);

CREATE TABLE "jobs" (
	"job_no" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "jobs_job_no_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"job_id" text NOT NULL,
	"run_id" uuid NOT NULL,
	"kind" text,
	"url" text,
	"status" text,
	"first_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "jobs_job_id_key" UNIQUE("job_id")
);

CREATE TABLE "links" (
	"set_no" integer NOT NULL,
	"page_key" bigint NOT NULL,
	"position" integer NOT NULL,
	"url" text NOT NULL,
	CONSTRAINT "links_pkey" PRIMARY KEY("set_no","page_key","position")
);

CREATE TABLE "page_metadata" (
	"set_no" integer NOT NULL,
	"page_key" bigint NOT NULL,
	"job_no" integer NOT NULL,
	"http_status" integer,
	"duration_ms" integer,
	"retry_count" integer,
	"tokens_charged" integer,
	CONSTRAINT "page_metadata_pkey" PRIMARY KEY("set_no","page_key")
);

CREATE TABLE "page_sets" (
	"set_no" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "page_sets_set_no_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"pipeline" text NOT NULL,
	"sink" text NOT NULL,
	"mode" text NOT NULL,
	"job_no" integer,
	CONSTRAINT "page_sets_identity" UNIQUE NULLS NOT DISTINCT("pipeline","sink","mode","job_no"),
	CONSTRAINT "page_sets_mode_check" CHECK (("page_sets"."mode" = 'append') = ("page_sets"."job_no" is not null) and "page_sets"."mode" in ('append', 'merge'))
);

CREATE TABLE "pages" (
	"set_no" integer NOT NULL,
	"page_key" bigint NOT NULL,
	"job_no" integer NOT NULL,
	"url" text NOT NULL,
	"parent_url" text,
	"depth" integer,
	"input_index" integer,
	"status" text NOT NULL,
	"error_code" text,
	"error_message" text,
	"markdown" text,
	"html" text,
	"fingerprint" bigint,
	"landed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "pages_pkey" PRIMARY KEY("set_no","page_key"),
	CONSTRAINT "pages_status_check" CHECK ("pages"."status" in ('completed', 'failed', 'cancelled'))
);

CREATE TABLE "runs" (
	"run_id" uuid PRIMARY KEY NOT NULL,
	"pipeline" text NOT NULL,
	"config_hash" text NOT NULL,
	"status" text DEFAULT 'running' NOT NULL,
	"epoch" integer DEFAULT 1 NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone,
	"receipt" jsonb
);

CREATE TABLE "segments" (
	"run_id" uuid NOT NULL,
	"sink" text NOT NULL,
	"seq" integer NOT NULL,
	"epoch" integer NOT NULL,
	"bytes" bigint NOT NULL,
	"keys" "bytea" NOT NULL,
	"pages" integer NOT NULL,
	"links" integer NOT NULL,
	"page_metadata" integer NOT NULL,
	"token_summaries" integer NOT NULL,
	"dead_letters" integer NOT NULL,
	"committed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "segments_pkey" PRIMARY KEY("run_id","sink","seq")
);

CREATE TABLE "submissions" (
	"run_id" uuid NOT NULL,
	"ordinal" integer NOT NULL,
	"kind" text NOT NULL,
	"url" text NOT NULL,
	"request_hash" text NOT NULL,
	"submitted_at" timestamp with time zone NOT NULL,
	"job_id" text,
	CONSTRAINT "submissions_pkey" PRIMARY KEY("run_id","ordinal")
);

CREATE TABLE "token_summaries" (
	"job_no" integer PRIMARY KEY NOT NULL,
	"pages_discovered" bigint NOT NULL,
	"pages_completed" bigint NOT NULL,
	"pages_failed" bigint NOT NULL,
	"pages_cancelled" bigint NOT NULL,
	"tokens_charged" bigint NOT NULL,
	"tokens_reserved" bigint NOT NULL,
	"observed_at" timestamp with time zone NOT NULL
);

CREATE INDEX "jobs_run_id_idx" ON "jobs" USING btree ("run_id");
CREATE INDEX "links_url_hash_idx" ON "links" USING btree (hashtextextended("url", 0));
CREATE INDEX "page_metadata_job_no_idx" ON "page_metadata" USING btree ("job_no");
CREATE INDEX "pages_url_idx" ON "pages" USING hash ("url");
CREATE INDEX "pages_job_no_idx" ON "pages" USING btree ("job_no");
CREATE INDEX "runs_started_at_idx" ON "runs" USING btree ("started_at" DESC NULLS LAST);
CREATE INDEX "runs_pipeline_idx" ON "runs" USING btree ("pipeline","started_at" DESC NULLS LAST);
CREATE INDEX "token_summaries_observed_at_idx" ON "token_summaries" USING btree ("observed_at");`
  },
  {
    id: "0001_comments",
    sql: `DO $$
BEGIN
  ALTER TABLE pages ALTER COLUMN markdown SET COMPRESSION lz4, ALTER COLUMN html SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
  NULL; -- a server built without lz4 keeps its default
END
$$;

CREATE FUNCTION links_to(target text) RETURNS SETOF links LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT * FROM links WHERE hashtextextended(url, 0) = hashtextextended(target, 0) AND url = target;
END;
COMMENT ON FUNCTION links_to(text) IS 'The links that lead to a URL, found by index';

COMMENT ON TABLE pages IS 'Pages as they ended. In append mode every job has its own rows, in merge mode the latest delivery of a page wins';
COMMENT ON COLUMN pages.set_no IS 'What the row belongs to and is unique within: see page_sets';
COMMENT ON COLUMN pages.page_key IS 'First 8 bytes of the SHA-256 of the URL (and of its occurrence, where a list repeats it)';
COMMENT ON COLUMN pages.job_no IS 'The job that delivered the content as it is now: see jobs. A delivery that changed nothing leaves it; page_metadata has the latest';
COMMENT ON COLUMN pages.url IS 'The page''s URL, of any length';
COMMENT ON COLUMN pages.parent_url IS 'The page that led here; null for seeds and lists';
COMMENT ON COLUMN pages.depth IS 'Distance from the seed, which is 1; null where the job has no depth';
COMMENT ON COLUMN pages.input_index IS '0-based place in the request, for jobs made of a list of URLs';
COMMENT ON COLUMN pages.status IS 'completed, failed or cancelled';
COMMENT ON COLUMN pages.error_code IS 'Why a failed page failed, as a code';
COMMENT ON COLUMN pages.error_message IS 'Why a failed page failed, in words';
COMMENT ON COLUMN pages.markdown IS 'The content as Markdown, where asked for';
COMMENT ON COLUMN pages.html IS 'The content as HTML, where asked for';
COMMENT ON COLUMN pages.fingerprint IS 'In merge mode the first 8 bytes of a SHA-256 of the content and its links: a delivery with the same is not written. Set it to null after changing a row or its links by hand';
COMMENT ON COLUMN pages.landed_at IS 'When the row was written or last changed';
COMMENT ON TABLE links IS 'Absolute URLs found on pages, in document order';
COMMENT ON COLUMN links.set_no IS 'With page_key the page the link is on: see pages';
COMMENT ON COLUMN links.page_key IS 'With set_no the page the link is on: see pages';
COMMENT ON COLUMN links.position IS '0-based place on the page; the same URL may stand at several';
COMMENT ON COLUMN links.url IS 'Where the link leads, of any length';
COMMENT ON TABLE page_metadata IS 'How each page was fetched and what it cost';
COMMENT ON COLUMN page_metadata.set_no IS 'With page_key the page: see pages';
COMMENT ON COLUMN page_metadata.page_key IS 'With set_no the page: see pages';
COMMENT ON COLUMN page_metadata.job_no IS 'The job that delivered the page last: see jobs';
COMMENT ON COLUMN page_metadata.http_status IS 'HTTP status the site answered with';
COMMENT ON COLUMN page_metadata.duration_ms IS 'How long the page took, in milliseconds';
COMMENT ON COLUMN page_metadata.retry_count IS 'Attempts beyond the first';
COMMENT ON COLUMN page_metadata.tokens_charged IS 'Tokens the API charged for the page';
COMMENT ON TABLE token_summaries IS 'The latest counters of each job, as the API told them';
COMMENT ON COLUMN token_summaries.job_no IS 'The job: see jobs';
COMMENT ON COLUMN token_summaries.pages_discovered IS 'Pages known to the job';
COMMENT ON COLUMN token_summaries.pages_completed IS 'Pages that ended with content';
COMMENT ON COLUMN token_summaries.pages_failed IS 'Pages that failed';
COMMENT ON COLUMN token_summaries.pages_cancelled IS 'Pages given up because the job was cancelled';
COMMENT ON COLUMN token_summaries.tokens_charged IS 'Tokens charged for the job so far';
COMMENT ON COLUMN token_summaries.tokens_reserved IS 'Tokens held back for pages under way';
COMMENT ON COLUMN token_summaries.observed_at IS 'When the API gave this answer; an older one never replaces a newer';
COMMENT ON TABLE jobs IS 'Jobs of the API whose results landed here';
COMMENT ON COLUMN jobs.job_no IS 'Narrow key of the job, which the data tables carry';
COMMENT ON COLUMN jobs.job_id IS 'The API''s id; begins with sync- where the API has none';
COMMENT ON COLUMN jobs.run_id IS 'The run that first landed it: see runs';
COMMENT ON COLUMN jobs.kind IS 'crawl, extract, batch or map';
COMMENT ON COLUMN jobs.url IS 'The URL the job began with';
COMMENT ON COLUMN jobs.status IS 'The job''s status when last seen';
COMMENT ON COLUMN jobs.first_seen_at IS 'When the first segment of the job was written';
COMMENT ON TABLE page_sets IS 'What rows belong together: in append mode one set per pipeline, sink and job, in merge mode one per pipeline and sink';
COMMENT ON COLUMN page_sets.set_no IS 'Narrow key of the set, which the data tables carry';
COMMENT ON COLUMN page_sets.pipeline IS 'Name of the pipeline';
COMMENT ON COLUMN page_sets.sink IS 'Name of the sink within the pipeline';
COMMENT ON COLUMN page_sets.mode IS 'append or merge';
COMMENT ON COLUMN page_sets.job_no IS 'The job, in append mode: see jobs';
COMMENT ON TABLE runs IS 'Ledger: every run of a pipeline';
COMMENT ON COLUMN runs.run_id IS 'The run''s id; later runs sort after earlier ones';
COMMENT ON COLUMN runs.pipeline IS 'Name of the pipeline';
COMMENT ON COLUMN runs.config_hash IS 'SHA-256 of the pipeline''s canonical configuration';
COMMENT ON COLUMN runs.status IS 'running until the run has ended, then how it ended';
COMMENT ON COLUMN runs.epoch IS 'Raised by whoever takes the run over; writes under an older epoch are refused';
COMMENT ON COLUMN runs.started_at IS 'When the run began';
COMMENT ON COLUMN runs.finished_at IS 'When it ended; null while it has not';
COMMENT ON COLUMN runs.receipt IS 'What the finished run can prove';
COMMENT ON TABLE submissions IS 'Ledger: paid work, recorded before it is asked for';
COMMENT ON COLUMN submissions.run_id IS 'The run: see runs';
COMMENT ON COLUMN submissions.ordinal IS 'Number of the submission within its run, from 0';
COMMENT ON COLUMN submissions.kind IS 'crawl, extract, batch or map';
COMMENT ON COLUMN submissions.url IS 'The URL asked for, or the first of a list';
COMMENT ON COLUMN submissions.request_hash IS 'SHA-256 of the canonical request';
COMMENT ON COLUMN submissions.submitted_at IS 'When the intent was recorded';
COMMENT ON COLUMN submissions.job_id IS 'The job it became; null until the answer has been seen';
COMMENT ON TABLE segments IS 'Ledger: batches of records that stand in a sink';
COMMENT ON COLUMN segments.run_id IS 'The run: see runs';
COMMENT ON COLUMN segments.sink IS 'Name of the sink';
COMMENT ON COLUMN segments.seq IS 'Number of the segment within its run';
COMMENT ON COLUMN segments.epoch IS 'The epoch it was committed under';
COMMENT ON COLUMN segments.bytes IS 'About what its records weigh';
COMMENT ON COLUMN segments.keys IS 'Page keys it holds, job by job: length of the job id (uint16), job id (UTF-8), number of keys (uint32), keys (int64), all big-endian';
COMMENT ON COLUMN segments.pages IS 'Rows that stand for it in pages';
COMMENT ON COLUMN segments.links IS 'Rows that stand for it in links';
COMMENT ON COLUMN segments.page_metadata IS 'Rows that stand for it in page_metadata';
COMMENT ON COLUMN segments.token_summaries IS 'Rows that stand for it in token_summaries and for no earlier segment';
COMMENT ON COLUMN segments.dead_letters IS 'Records set aside instead of written';
COMMENT ON COLUMN segments.committed_at IS 'When it was committed';
COMMENT ON TABLE dead_letters IS 'Records that could not be written, with the reason';
COMMENT ON COLUMN dead_letters.letter_no IS 'Number of the letter';
COMMENT ON COLUMN dead_letters.run_id IS 'The run: see runs';
COMMENT ON COLUMN dead_letters.sink IS 'Name of the sink that set it aside';
COMMENT ON COLUMN dead_letters.job_id IS 'The job that delivered it';
COMMENT ON COLUMN dead_letters.page_key IS 'Its page key: see pages';
COMMENT ON COLUMN dead_letters.url IS 'Its URL, with what no text column takes replaced';
COMMENT ON COLUMN dead_letters.reason IS 'nul_byte, lone_surrogate, out_of_range or refused';
COMMENT ON COLUMN dead_letters.detail IS 'The server''s words where it refused, without values';
COMMENT ON COLUMN dead_letters.raw IS 'The whole record as JSON';
COMMENT ON COLUMN dead_letters.created_at IS 'When it was set aside';
`
  },
  {
    id: "0002_resume",
    sql: `ALTER TABLE "runs" ADD COLUMN "holder" text;
ALTER TABLE "runs" ADD COLUMN "lease_until" timestamp with time zone;
ALTER TABLE "runs" ADD COLUMN "session" text;
CREATE INDEX "submissions_job_id_idx" ON "submissions" USING btree ("job_id");
COMMENT ON COLUMN runs.holder IS 'The process that carries the run out: host, process id and a word of its own; null when none does';

COMMENT ON COLUMN runs.lease_until IS 'Until when no other process may take the run over, while its holder lives';

COMMENT ON COLUMN runs.session IS 'The name its process''s connections go by, so that whoever takes the run over can end them';

COMMENT ON COLUMN runs.status IS 'running until the run has ended, then how it ended; with finished_at null, how its last attempt was left';
`
  },
  {
    id: "0003_budgets",
    sql: `ALTER TABLE "runs" ADD COLUMN "tokens" bigint;
ALTER TABLE "submissions" ADD COLUMN "tokens" bigint DEFAULT 0 NOT NULL;
COMMENT ON COLUMN runs.tokens IS 'What the run cost, by its jobs'' last counters; null until it has ended';

COMMENT ON COLUMN submissions.tokens IS 'The most it may cost; 0 where that was not recorded';
`
  },
  {
    id: "0004_modes",
    sql: `CREATE TABLE "missing_pages" (
	"set_no" integer NOT NULL,
	"page_key" bigint NOT NULL,
	"misses" integer NOT NULL,
	"since" timestamp with time zone NOT NULL,
	CONSTRAINT "missing_pages_pkey" PRIMARY KEY("set_no","page_key")
);

CREATE TABLE "page_history" (
	"set_no" integer NOT NULL,
	"page_key" bigint NOT NULL,
	"valid_from" timestamp with time zone NOT NULL,
	"valid_to" timestamp with time zone NOT NULL,
	"closed_as" text NOT NULL,
	"job_no" integer NOT NULL,
	"url" text NOT NULL,
	"parent_url" text,
	"depth" integer,
	"input_index" integer,
	"status" text NOT NULL,
	"error_code" text,
	"error_message" text,
	"markdown" text,
	"html" text,
	"fingerprint" bigint,
	"http_status" integer,
	"duration_ms" integer,
	"retry_count" integer,
	"tokens_charged" integer,
	"links" text[] NOT NULL,
	CONSTRAINT "page_history_pkey" PRIMARY KEY("set_no","page_key","valid_from"),
	CONSTRAINT "page_history_interval_check" CHECK ("page_history"."valid_from" < "page_history"."valid_to"),
	CONSTRAINT "page_history_closed_as_check" CHECK ("page_history"."closed_as" in ('changed', 'gone'))
);

ALTER TABLE "page_sets" DROP CONSTRAINT "page_sets_identity";
ALTER TABLE "page_sets" DROP CONSTRAINT "page_sets_mode_check";
ALTER TABLE "page_sets" ADD COLUMN "run_id" uuid;
ALTER TABLE "page_sets" ADD COLUMN "state" text DEFAULT 'current' NOT NULL;
ALTER TABLE "page_sets" ADD COLUMN "counted_run" uuid;
ALTER TABLE "page_sets" ADD COLUMN "counted_run_at" timestamp with time zone;
CREATE INDEX "page_history_url_idx" ON "page_history" USING hash ("url");
CREATE UNIQUE INDEX "page_sets_replace_current" ON "page_sets" USING btree ("pipeline","sink") WHERE mode = 'replace' and state = 'current';
ALTER TABLE "page_sets" ADD CONSTRAINT "page_sets_identity" UNIQUE NULLS NOT DISTINCT("pipeline","sink","mode","job_no","run_id");
ALTER TABLE "page_sets" ADD CONSTRAINT "page_sets_state_check" CHECK ("page_sets"."state" = 'current' or "page_sets"."mode" = 'replace' and "page_sets"."state" in ('open', 'superseded', 'removed'));
ALTER TABLE "page_sets" ADD CONSTRAINT "page_sets_mode_check" CHECK (("page_sets"."mode" = 'append') = ("page_sets"."job_no" is not null) and ("page_sets"."mode" = 'replace') = ("page_sets"."run_id" is not null)
        and "page_sets"."mode" in ('append', 'merge', 'replace', 'history'));
DO $$
BEGIN
  ALTER TABLE page_history ALTER COLUMN markdown SET COMPRESSION lz4, ALTER COLUMN html SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
  NULL; -- a server built without lz4 keeps its default
END
$$;

CREATE VIEW current_pages AS
SELECT s.pipeline, s.sink, p.set_no, p.page_key, p.job_no, p.url, p.parent_url, p.depth, p.input_index, p.status, p.error_code,
  p.error_message, p.markdown, p.html, p.landed_at
FROM page_sets s JOIN pages p ON p.set_no = s.set_no
WHERE s.state = 'current' AND (s.mode <> 'append' OR NOT EXISTS (
  SELECT FROM pages later JOIN page_sets t ON t.set_no = later.set_no
  WHERE later.url = p.url AND later.page_key = p.page_key AND later.job_no > p.job_no
    AND t.pipeline = s.pipeline AND t.sink = s.sink AND t.mode = 'append'));

CREATE VIEW current_links AS
SELECT p.pipeline, p.sink, p.set_no, p.page_key, l.position, p.url AS page_url, l.url
FROM current_pages p JOIN links l ON l.set_no = p.set_no AND l.page_key = p.page_key;

CREATE VIEW current_page_metadata AS
SELECT p.pipeline, p.sink, p.set_no, p.page_key, m.job_no, p.url, m.http_status, m.duration_ms, m.retry_count, m.tokens_charged
FROM current_pages p JOIN page_metadata m ON m.set_no = p.set_no AND m.page_key = p.page_key;

CREATE VIEW page_versions AS
SELECT s.pipeline, s.sink, p.set_no, p.page_key, p.landed_at AS valid_from, NULL::timestamptz AS valid_to,
  NULL::text AS closed_as, p.job_no, p.url, p.parent_url, p.depth, p.input_index, p.status, p.error_code, p.error_message,
  p.markdown, p.html, m.http_status, m.duration_ms, m.retry_count, m.tokens_charged,
  ARRAY(SELECT l.url FROM links l WHERE l.set_no = p.set_no AND l.page_key = p.page_key ORDER BY l.position) AS links
FROM page_sets s JOIN pages p ON p.set_no = s.set_no
  LEFT JOIN page_metadata m ON m.set_no = p.set_no AND m.page_key = p.page_key
WHERE s.mode = 'history'
UNION ALL
SELECT s.pipeline, s.sink, h.set_no, h.page_key, h.valid_from, h.valid_to, h.closed_as, h.job_no, h.url, h.parent_url, h.depth,
  h.input_index, h.status, h.error_code, h.error_message, h.markdown, h.html, h.http_status, h.duration_ms, h.retry_count,
  h.tokens_charged, h.links
FROM page_sets s JOIN page_history h ON h.set_no = s.set_no;

CREATE OR REPLACE FUNCTION links_to(target text) RETURNS SETOF links LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT * FROM links WHERE hashtextextended(url, 0) = hashtextextended(target, 0) AND url = target
    AND EXISTS (SELECT FROM page_sets s WHERE s.set_no = links.set_no AND s.state = 'current');
END;
COMMENT ON FUNCTION links_to(text) IS 'The links that lead to a URL, found by index; in replace mode those of the published run alone';

COMMENT ON VIEW current_pages IS 'The pages as readers should see them, whatever the mode: in append the latest job''s row of each page, in merge and history the page as it stands, in replace the last published run''s pages';
COMMENT ON VIEW current_links IS 'The links of current_pages, in document order';
COMMENT ON VIEW current_page_metadata IS 'How current_pages were fetched and what they cost';
COMMENT ON VIEW page_versions IS 'In history mode every version of every page; valid from and until, valid_to being null while it is current';
COMMENT ON TABLE pages IS 'Pages as they ended. In append mode every job has its own rows, in replace mode every run; in merge mode the latest delivery of a page wins; in history mode a completed page stands until another version of it does. Rows of runs that are not published are here too: see current_pages';
COMMENT ON COLUMN pages.fingerprint IS 'In merge and history mode the first 8 bytes of a SHA-256 of the content and its links: a delivery with the same is not written. Set it to null after changing a row or its links by hand';
COMMENT ON COLUMN pages.landed_at IS 'When the row was written or last changed; in history mode what the version is valid from';
COMMENT ON COLUMN page_metadata.job_no IS 'The job that delivered the page last; in history mode the one that delivered the version: see jobs';
COMMENT ON TABLE page_sets IS 'What rows belong together: one set per pipeline and sink, and in append mode per job, in replace mode per run';
COMMENT ON COLUMN page_sets.mode IS 'append, merge, replace or history';
COMMENT ON COLUMN page_sets.run_id IS 'The run, in replace mode: see runs';
COMMENT ON COLUMN page_sets.state IS 'current: readers see it; in replace mode also open: its run is not published, superseded: a later run is, and its rows are being removed, removed: they are';
COMMENT ON COLUMN page_sets.counted_run IS 'In history mode the last completed run whose missing pages have been counted';
COMMENT ON COLUMN page_sets.counted_run_at IS 'When that run began; runs that began earlier are not counted any more';
COMMENT ON TABLE page_history IS 'In history mode versions of pages that are not current any more, each with all that came with it';
COMMENT ON COLUMN page_history.set_no IS 'What the version belongs to: see page_sets';
COMMENT ON COLUMN page_history.page_key IS 'The page: see pages';
COMMENT ON COLUMN page_history.valid_from IS 'When the version landed';
COMMENT ON COLUMN page_history.valid_to IS 'When the next version landed, or the page was found to be gone';
COMMENT ON COLUMN page_history.closed_as IS 'changed: another version took its place; gone: whole crawls in a row were without the page';
COMMENT ON COLUMN page_history.job_no IS 'The job that delivered the version: see jobs';
COMMENT ON COLUMN page_history.url IS 'The page''s URL, of any length';
COMMENT ON COLUMN page_history.parent_url IS 'The page that led here; null for seeds and lists';
COMMENT ON COLUMN page_history.depth IS 'Distance from the seed, which is 1; null where the job has no depth';
COMMENT ON COLUMN page_history.input_index IS '0-based place in the request, for jobs made of a list of URLs';
COMMENT ON COLUMN page_history.status IS 'completed; or failed or cancelled, where a page that never completed is gone';
COMMENT ON COLUMN page_history.error_code IS 'Why a failed page failed, as a code';
COMMENT ON COLUMN page_history.error_message IS 'Why a failed page failed, in words';
COMMENT ON COLUMN page_history.markdown IS 'The content as Markdown, where asked for';
COMMENT ON COLUMN page_history.html IS 'The content as HTML, where asked for';
COMMENT ON COLUMN page_history.fingerprint IS 'First 8 bytes of a SHA-256 of the content and its links';
COMMENT ON COLUMN page_history.http_status IS 'HTTP status the site answered with';
COMMENT ON COLUMN page_history.duration_ms IS 'How long the page took, in milliseconds';
COMMENT ON COLUMN page_history.retry_count IS 'Attempts beyond the first';
COMMENT ON COLUMN page_history.tokens_charged IS 'Tokens the API charged for the page';
COMMENT ON COLUMN page_history.links IS 'The absolute URLs found on the page, in document order';
COMMENT ON TABLE missing_pages IS 'In history mode pages that stand and were not in the last whole crawls';
COMMENT ON COLUMN missing_pages.set_no IS 'With page_key the page: see pages';
COMMENT ON COLUMN missing_pages.page_key IS 'With set_no the page: see pages';
COMMENT ON COLUMN missing_pages.misses IS 'How many whole crawls in a row were without it';
COMMENT ON COLUMN missing_pages.since IS 'When the first of them was counted';
`
  },
  {
    id: "0005_quarantine",
    sql: `ALTER TABLE "dead_letters" ADD COLUMN "pipeline" text;
ALTER TABLE "dead_letters" ADD COLUMN "replayed_at" timestamp with time zone;
ALTER TABLE "pages" ADD COLUMN "extra" jsonb;
ALTER TABLE "segments" ADD COLUMN "drift" text[];
ALTER TABLE "page_history" ADD COLUMN "extra" jsonb;
UPDATE dead_letters d SET pipeline = r.pipeline FROM runs r WHERE r.run_id = d.run_id;

CREATE OR REPLACE VIEW current_pages AS
SELECT s.pipeline, s.sink, p.set_no, p.page_key, p.job_no, p.url, p.parent_url, p.depth, p.input_index, p.status, p.error_code,
  p.error_message, p.markdown, p.html, p.landed_at, p.extra
FROM page_sets s JOIN pages p ON p.set_no = s.set_no
WHERE s.state = 'current' AND (s.mode <> 'append' OR NOT EXISTS (
  SELECT FROM pages later JOIN page_sets t ON t.set_no = later.set_no
  WHERE later.url = p.url AND later.page_key = p.page_key AND later.job_no > p.job_no
    AND t.pipeline = s.pipeline AND t.sink = s.sink AND t.mode = 'append'));

CREATE OR REPLACE VIEW page_versions AS
SELECT s.pipeline, s.sink, p.set_no, p.page_key, p.landed_at AS valid_from, NULL::timestamptz AS valid_to,
  NULL::text AS closed_as, p.job_no, p.url, p.parent_url, p.depth, p.input_index, p.status, p.error_code, p.error_message,
  p.markdown, p.html, m.http_status, m.duration_ms, m.retry_count, m.tokens_charged,
  ARRAY(SELECT l.url FROM links l WHERE l.set_no = p.set_no AND l.page_key = p.page_key ORDER BY l.position) AS links, p.extra
FROM page_sets s JOIN pages p ON p.set_no = s.set_no
  LEFT JOIN page_metadata m ON m.set_no = p.set_no AND m.page_key = p.page_key
WHERE s.mode = 'history'
UNION ALL
SELECT s.pipeline, s.sink, h.set_no, h.page_key, h.valid_from, h.valid_to, h.closed_as, h.job_no, h.url, h.parent_url, h.depth,
  h.input_index, h.status, h.error_code, h.error_message, h.markdown, h.html, h.http_status, h.duration_ms, h.retry_count,
  h.tokens_charged, h.links, h.extra
FROM page_sets s JOIN page_history h ON h.set_no = s.set_no;

COMMENT ON COLUMN pages.extra IS 'Members of the API''s result that are in no other column, by name; those of its data and metadata under these names. Null where there are none';
COMMENT ON COLUMN pages.fingerprint IS 'In merge and history mode the first 8 bytes of a SHA-256 of the content, its links and extra: a delivery with the same is not written. Set it to null after changing a row or its links by hand';
COMMENT ON COLUMN page_history.extra IS 'Members of the API''s result that are in no other column: see pages';
COMMENT ON COLUMN segments.drift IS 'Names of members the contract does not know, first seen with this segment; null for none';
COMMENT ON TABLE dead_letters IS 'Records that could not be written, with the reason; see sluice dlq';
COMMENT ON COLUMN dead_letters.pipeline IS 'The pipeline; null where an earlier build set the record aside and its run is in another database';
COMMENT ON COLUMN dead_letters.reason IS 'nul_byte, lone_surrogate, out_of_range, refused by the server, or contract: the result is not of the shape the API promises';
COMMENT ON COLUMN dead_letters.detail IS 'The server''s words where it refused, the place in the result where that does not fit; without values';
COMMENT ON COLUMN dead_letters.raw IS 'The whole record as JSON; for contract the API''s result';
COMMENT ON COLUMN dead_letters.replayed_at IS 'When it was loaded again, or found to have been outdone by a later delivery; null while it is not';
`
  },
  {
    id: "0006_expectations",
    sql: `ALTER TABLE "segments" ADD COLUMN "tally" jsonb;
COMMENT ON COLUMN segments.tally IS 'How many of its records completed and failed, and how many of the completed were without a field that expectations can ask for; null where an earlier build wrote it';
`
  },
  {
    id: "0007_analyst",
    sql: `CREATE VIEW broken_links AS
SELECT f.pipeline, f.sink, f.set_no, f.page_key, l.position, f.url AS page_url, l.url, t.error_code, t.error_message, m.http_status
FROM current_pages t
  JOIN links l ON hashtextextended(l.url, 0) = hashtextextended(t.url, 0) AND l.url = t.url
  JOIN current_pages f ON f.set_no = l.set_no AND f.page_key = l.page_key AND f.pipeline = t.pipeline AND f.sink = t.sink
  LEFT JOIN page_metadata m ON m.set_no = t.set_no AND m.page_key = t.page_key
WHERE t.status = 'failed';

CREATE VIEW page_degrees AS
SELECT p.pipeline, p.sink, p.set_no, p.page_key, p.url,
  (SELECT count(DISTINCT f.page_key) FROM links l
     JOIN current_pages f ON f.set_no = l.set_no AND f.page_key = l.page_key AND f.pipeline = p.pipeline AND f.sink = p.sink
   WHERE hashtextextended(l.url, 0) = hashtextextended(p.url, 0) AND l.url = p.url AND f.url <> p.url) AS inbound,
  (SELECT count(DISTINCT l.url) FROM links l
   WHERE l.set_no = p.set_no AND l.page_key = p.page_key AND l.url <> p.url) AS outbound
FROM current_pages p;

CREATE VIEW changed_pages AS
WITH last_runs AS (
  SELECT DISTINCT ON (pipeline) pipeline, run_id FROM runs WHERE finished_at IS NOT NULL
  ORDER BY pipeline, started_at DESC, run_id DESC),
brought AS (
  SELECT p.*, s.mode, r.run_id FROM last_runs r
    JOIN jobs j ON j.run_id = r.run_id
    JOIN current_pages p ON p.job_no = j.job_no AND p.pipeline = r.pipeline
    JOIN page_sets s ON s.set_no = p.set_no
  WHERE s.mode <> 'replace')
SELECT b.pipeline, b.sink, b.set_no, b.page_key, b.url, 'added or changed' AS change, b.run_id, b.landed_at AS changed_at
FROM brought b WHERE b.mode = 'merge'
UNION ALL
SELECT b.pipeline, b.sink, b.set_no, b.page_key, b.url, CASE WHEN h.page_key IS NULL THEN 'added' ELSE 'changed' END, b.run_id,
  b.landed_at
FROM brought b LEFT JOIN page_history h ON h.set_no = b.set_no AND h.page_key = b.page_key AND h.valid_to = b.landed_at
WHERE b.mode = 'history'
UNION ALL
SELECT s.pipeline, s.sink, h.set_no, h.page_key, h.url, 'gone', r.run_id, h.valid_to
FROM last_runs r JOIN page_sets s ON s.pipeline = r.pipeline AND s.mode = 'history' AND s.counted_run = r.run_id
  JOIN page_history h ON h.set_no = s.set_no
WHERE h.closed_as = 'gone' AND h.valid_to >= (SELECT min(j.first_seen_at) FROM jobs j WHERE j.run_id = r.run_id)
UNION ALL
SELECT b.pipeline, b.sink, b.set_no, b.page_key, b.url, CASE WHEN e.page_key IS NULL THEN 'added' ELSE 'changed' END, b.run_id,
  b.landed_at
FROM brought b LEFT JOIN LATERAL (
  SELECT o.* FROM pages o JOIN page_sets t ON t.set_no = o.set_no JOIN jobs k ON k.job_no = o.job_no
  WHERE o.url = b.url AND o.page_key = b.page_key AND k.run_id <> b.run_id AND o.job_no < b.job_no
    AND t.pipeline = b.pipeline AND t.sink = b.sink AND t.mode = 'append'
  ORDER BY o.job_no DESC LIMIT 1) e ON true
WHERE b.mode = 'append' AND (e.page_key IS NULL
  OR (b.status, b.error_code, b.markdown, b.html) IS DISTINCT FROM (e.status, e.error_code, e.markdown, e.html)
  OR ARRAY(SELECT l.url FROM links l WHERE l.set_no = b.set_no AND l.page_key = b.page_key ORDER BY l.position)
    IS DISTINCT FROM
    ARRAY(SELECT l.url FROM links l WHERE l.set_no = e.set_no AND l.page_key = e.page_key ORDER BY l.position));

CREATE VIEW daily_tokens AS
SELECT r.pipeline, (r.started_at AT TIME ZONE 'UTC')::date AS day, count(DISTINCT r.run_id) AS runs, count(*) AS jobs,
  sum(t.pages_completed)::bigint AS pages_completed, sum(t.pages_failed)::bigint AS pages_failed,
  sum(t.tokens_charged)::bigint AS tokens_charged, sum(t.tokens_reserved)::bigint AS tokens_reserved
FROM runs r JOIN jobs j ON j.run_id = r.run_id JOIN token_summaries t ON t.job_no = j.job_no
GROUP BY 1, 2;

COMMENT ON VIEW broken_links IS 'Links of current_pages that lead to a page of the same pipeline which failed, with why it did';
COMMENT ON VIEW page_degrees IS 'How many other pages lead to each of current_pages, and to how many others it leads';
COMMENT ON VIEW changed_pages IS 'What the last run of each pipeline that has ended brought anew, as against the deliveries before it: pages added, changed and, in history mode, gone. In replace mode nothing is kept to compare with, and there are no rows';
COMMENT ON VIEW daily_tokens IS 'What each pipeline came to cost by the day (UTC) its runs began';
COMMENT ON COLUMN broken_links.page_url IS 'The URL of the page that holds the link';
COMMENT ON COLUMN broken_links.url IS 'Where the link leads: the URL of the page that failed';
COMMENT ON COLUMN broken_links.http_status IS 'HTTP status the site answered with, where it answered';
COMMENT ON COLUMN page_degrees.inbound IS 'Other current pages of the pipeline that link to it, each once; a link that differs in its fragment leads elsewhere';
COMMENT ON COLUMN page_degrees.outbound IS 'Distinct URLs it links to, of any site, its own left out';
COMMENT ON COLUMN changed_pages.change IS 'added, changed or gone; in merge mode, which keeps nothing of what was before, "added or changed"';
COMMENT ON COLUMN changed_pages.run_id IS 'The run that brought it: see runs';
COMMENT ON COLUMN changed_pages.changed_at IS 'When it landed, or was found to be gone';
COMMENT ON COLUMN daily_tokens.day IS 'The day on which the runs began, by UTC';
COMMENT ON COLUMN daily_tokens.runs IS 'Runs that have a job';
COMMENT ON COLUMN daily_tokens.jobs IS 'Jobs of those runs';
COMMENT ON COLUMN current_links.page_url IS 'The URL of the page that holds the link';
COMMENT ON COLUMN page_versions.valid_from IS 'When the version landed';
COMMENT ON COLUMN page_versions.valid_to IS 'When the next version landed, or the page was found to be gone; null while the version is current';
COMMENT ON COLUMN page_versions.closed_as IS 'changed: another version took its place; gone: whole crawls in a row were without the page; null while the version is current';
COMMENT ON COLUMN page_versions.status IS 'completed, failed or cancelled; only completed pages have further versions';

DO $$
DECLARE
  uncommented record;
  told text;
  source text;
BEGIN
  FOR uncommented IN
    SELECT c.relname AS view_name, a.attname AS column_name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL
      AND c.relname IN ('current_pages', 'current_links', 'current_page_metadata', 'page_versions', 'broken_links',
        'page_degrees', 'changed_pages', 'daily_tokens')
  LOOP
    -- A column of a view means what the column of its name in the first of these tables does.
    FOREACH source IN ARRAY CASE
      WHEN uncommented.view_name = 'page_versions' THEN ARRAY['page_history', 'page_sets']
      WHEN uncommented.view_name = 'daily_tokens' THEN ARRAY['token_summaries', 'runs']
      WHEN uncommented.view_name = 'current_links' THEN ARRAY['links', 'page_sets']
      WHEN uncommented.view_name = 'current_page_metadata' THEN ARRAY['page_metadata', 'pages', 'page_sets']
      ELSE ARRAY['pages', 'page_sets', 'links', 'page_metadata'] END
    LOOP
      SELECT col_description(a.attrelid, a.attnum) INTO told FROM pg_attribute a
      WHERE a.attrelid = format('%I.%I', current_schema(), source)::regclass AND a.attname = uncommented.column_name;
      EXIT WHEN told IS NOT NULL;
    END LOOP;
    EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', uncommented.view_name, uncommented.column_name, told);
  END LOOP;
END
$$;
`
  },
  {
    id: "0008_reopened",
    sql: `ALTER TABLE "runs" ADD COLUMN "superseded_receipts" jsonb;
COMMENT ON COLUMN runs.superseded_receipts IS 'The earlier receipts of a run that ended and was opened again, oldest first';
`
  },
  {
    id: "0009_unpublished",
    sql: `ALTER TABLE "page_sets" ADD COLUMN "completed_pages" integer;
ALTER TABLE "runs" ADD COLUMN "published_at" timestamp with time zone;
COMMENT ON COLUMN page_sets.completed_pages IS 'In replace mode how many pages of a published set completed; null where they have to be counted';
COMMENT ON COLUMN page_sets.state IS 'current: readers see it; in replace mode also open: its run is not published, superseded: a later run is, or the run was not published for too long, and its rows are being removed, removed: they are';
COMMENT ON COLUMN runs.published_at IS 'When a run that ended unpublished was published after all (sluice publish); null for every other';
`
  },
  {
    id: "0010_replays",
    sql: `ALTER TABLE "runs" ADD COLUMN "replayed_from" text;
COMMENT ON COLUMN runs.replayed_from IS 'The run of another pipeline whose kept segments this run loaded; null for a run of the pipeline itself';
-- Until now the ID alone told a replay: it has version 8, and is a hash over the replayed run and the pipeline.
UPDATE runs r SET replayed_from = coalesce(
  (SELECT o.run_id::text FROM runs o
   WHERE left(encode(sha256(convert_to(o.run_id::text || E'\\n' || r.pipeline, 'UTF8')), 'hex'), 12) = replace(left(r.run_id::text, 13), '-', '')
   LIMIT 1),
  'unknown')
WHERE substr(r.run_id::text, 15, 1) = '8';
`
  },
  {
    id: "0011_schedules",
    sql: `CREATE TABLE "schedules" (
	"pipeline" text PRIMARY KEY NOT NULL,
	"decided_until" timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE "ticks" (
	"pipeline" text NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"start_at" timestamp with time zone NOT NULL,
	"run_id" uuid NOT NULL,
	"state" text NOT NULL,
	"decided_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ticks_pkey" PRIMARY KEY("pipeline","due_at")
);

CREATE INDEX "ticks_due_idx" ON "ticks" USING btree ("pipeline","start_at") WHERE "ticks"."state" = 'due';
COMMENT ON TABLE schedules IS 'Pipelines that workers serve by a schedule';
COMMENT ON COLUMN schedules.pipeline IS 'The name of the pipeline';
COMMENT ON COLUMN schedules.decided_until IS 'Up to here it has been decided what becomes of the ticks of the schedule';
COMMENT ON TABLE ticks IS 'The ticks of schedules, and what became of each';
COMMENT ON COLUMN ticks.pipeline IS 'The pipeline that the tick runs';
COMMENT ON COLUMN ticks.due_at IS 'When the schedule says it runs';
COMMENT ON COLUMN ticks.decided_at IS 'When it was decided what becomes of it';
COMMENT ON COLUMN ticks.start_at IS 'When the tick may start: due_at and the jitter of this tick';
COMMENT ON COLUMN ticks.run_id IS 'The ID that the run of this tick has, or will have';
COMMENT ON COLUMN ticks.state IS 'due until its run has begun, begun, skipped: the run before had not ended, missed: no worker ran, paused';
`
  },
  {
    id: "0012_failures",
    sql: `ALTER TABLE "segments" ADD COLUMN "failures" jsonb;
COMMENT ON COLUMN segments.failures IS 'Its failed pages by error code: how many, and the first few of their URLs; null for none';
`
  },
  {
    id: "0013_notices",
    sql: `CREATE TABLE "notices" (
	"notice_id" uuid PRIMARY KEY NOT NULL,
	"run_id" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"pipeline" text NOT NULL,
	"target" text NOT NULL,
	"event" text NOT NULL,
	"receipt" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"settled_at" timestamp with time zone,
	CONSTRAINT "notices_identity" UNIQUE("run_id","epoch","target","event")
);

CREATE INDEX "notices_pipeline_idx" ON "notices" USING btree ("pipeline","created_at");
COMMENT ON TABLE notices IS 'What somebody is to be told of the end of a run: written with that end, and settled once it was delivered';
COMMENT ON COLUMN notices.notice_id IS 'The same at every attempt to deliver it, for receivers to tell repetitions by';
COMMENT ON COLUMN notices.run_id IS 'The run that ended';
COMMENT ON COLUMN notices.pipeline IS 'Its pipeline';
COMMENT ON COLUMN notices.event IS 'How the attempt ended, or what else is told of it: recovered, quarantine, slow';
COMMENT ON COLUMN notices.created_at IS 'When the attempt ended';
COMMENT ON COLUMN notices.epoch IS 'The attempt of the run that ended';
COMMENT ON COLUMN notices.target IS 'Who is told, by the name of an entry of notify';
COMMENT ON COLUMN notices.receipt IS 'The receipt of the attempt';
COMMENT ON COLUMN notices.attempts IS 'How often it could not be delivered';
COMMENT ON COLUMN notices.settled_at IS 'When it was delivered or given up; null while it waits';
`
  }
]
