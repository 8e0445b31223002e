ALTER TABLE "dead_letters" ADD COLUMN "pipeline" text;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "replayed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "pages" ADD COLUMN "extra" jsonb;--> statement-breakpoint
ALTER TABLE "segments" ADD COLUMN "drift" text[];--> statement-breakpoint
ALTER TABLE "page_history" ADD COLUMN "extra" jsonb;--> statement-breakpoint
UPDATE dead_letters d SET pipeline = r.pipeline FROM runs r WHERE r.run_id = d.run_id;
--> statement-breakpoint
CREATE OR REPLACE VIEW current_pages AS
SELECT s.pipeline, s.sink, p.set_no, p.page_key, p.job_no, p.url, p.parent_url, p.depth, p.input_index, p.status, p.error_code,
  p.error_message, p.markdown, p.html, p.landed_at, p.extra
FROM page_sets s JOIN pages p ON p.set_no = s.set_no
WHERE s.state = 'current' AND (s.mode <> 'append' OR NOT EXISTS (
  SELECT FROM pages later JOIN page_sets t ON t.set_no = later.set_no
  WHERE later.url = p.url AND later.page_key = p.page_key AND later.job_no > p.job_no
    AND t.pipeline = s.pipeline AND t.sink = s.sink AND t.mode = 'append'));
--> statement-breakpoint
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
--> statement-breakpoint
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
