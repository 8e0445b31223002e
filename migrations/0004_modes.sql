CREATE TABLE "missing_pages" (
	"set_no" integer NOT NULL,
	"page_key" bigint NOT NULL,
	"misses" integer NOT NULL,
	"since" timestamp with time zone NOT NULL,
	CONSTRAINT "missing_pages_pkey" PRIMARY KEY("set_no","page_key")
);
--> statement-breakpoint
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
--> statement-breakpoint
ALTER TABLE "page_sets" DROP CONSTRAINT "page_sets_identity";--> statement-breakpoint
ALTER TABLE "page_sets" DROP CONSTRAINT "page_sets_mode_check";--> statement-breakpoint
ALTER TABLE "page_sets" ADD COLUMN "run_id" uuid;--> statement-breakpoint
ALTER TABLE "page_sets" ADD COLUMN "state" text DEFAULT 'current' NOT NULL;--> statement-breakpoint
ALTER TABLE "page_sets" ADD COLUMN "counted_run" uuid;--> statement-breakpoint
ALTER TABLE "page_sets" ADD COLUMN "counted_run_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "page_history_url_idx" ON "page_history" USING hash ("url");--> statement-breakpoint
CREATE UNIQUE INDEX "page_sets_replace_current" ON "page_sets" USING btree ("pipeline","sink") WHERE mode = 'replace' and state = 'current';--> statement-breakpoint
ALTER TABLE "page_sets" ADD CONSTRAINT "page_sets_identity" UNIQUE NULLS NOT DISTINCT("pipeline","sink","mode","job_no","run_id");--> statement-breakpoint
ALTER TABLE "page_sets" ADD CONSTRAINT "page_sets_state_check" CHECK ("page_sets"."state" = 'current' or "page_sets"."mode" = 'replace' and "page_sets"."state" in ('open', 'superseded', 'removed'));--> statement-breakpoint
ALTER TABLE "page_sets" ADD CONSTRAINT "page_sets_mode_check" CHECK (("page_sets"."mode" = 'append') = ("page_sets"."job_no" is not null) and ("page_sets"."mode" = 'replace') = ("page_sets"."run_id" is not null)
        and "page_sets"."mode" in ('append', 'merge', 'replace', 'history'));--> statement-breakpoint
DO $$
BEGIN
  ALTER TABLE page_history ALTER COLUMN markdown SET COMPRESSION lz4, ALTER COLUMN html SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
  NULL; -- a server built without lz4 keeps its default
END
$$;
--> statement-breakpoint
CREATE VIEW current_pages AS
SELECT s.pipeline, s.sink, p.set_no, p.page_key, p.job_no, p.url, p.parent_url, p.depth, p.input_index, p.status, p.error_code,
  p.error_message, p.markdown, p.html, p.landed_at
FROM page_sets s JOIN pages p ON p.set_no = s.set_no
WHERE s.state = 'current' AND (s.mode <> 'append' OR NOT EXISTS (
  SELECT FROM pages later JOIN page_sets t ON t.set_no = later.set_no
  WHERE later.url = p.url AND later.page_key = p.page_key AND later.job_no > p.job_no
    AND t.pipeline = s.pipeline AND t.sink = s.sink AND t.mode = 'append'));
--> statement-breakpoint
CREATE VIEW current_links AS
SELECT p.pipeline, p.sink, p.set_no, p.page_key, l.position, p.url AS page_url, l.url
FROM current_pages p JOIN links l ON l.set_no = p.set_no AND l.page_key = p.page_key;
--> statement-breakpoint
CREATE VIEW current_page_metadata AS
SELECT p.pipeline, p.sink, p.set_no, p.page_key, m.job_no, p.url, m.http_status, m.duration_ms, m.retry_count, m.tokens_charged
FROM current_pages p JOIN page_metadata m ON m.set_no = p.set_no AND m.page_key = p.page_key;
--> statement-breakpoint
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
--> statement-breakpoint
CREATE OR REPLACE FUNCTION links_to(target text) RETURNS SETOF links LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT * FROM links WHERE hashtextextended(url, 0) = hashtextextended(target, 0) AND url = target
    AND EXISTS (SELECT FROM page_sets s WHERE s.set_no = links.set_no AND s.state = 'current');
END;
COMMENT ON FUNCTION links_to(text) IS 'The links that lead to a URL, found by index; in replace mode those of the published run alone';
--> statement-breakpoint
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
