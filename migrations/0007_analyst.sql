CREATE VIEW broken_links AS
SELECT f.pipeline, f.sink, f.set_no, f.page_key, l.position, f.url AS page_url, l.url, t.error_code, t.error_message, m.http_status
FROM current_pages t
  JOIN links l ON hashtextextended(l.url, 0) = hashtextextended(t.url, 0) AND l.url = t.url
  JOIN current_pages f ON f.set_no = l.set_no AND f.page_key = l.page_key AND f.pipeline = t.pipeline AND f.sink = t.sink
  LEFT JOIN page_metadata m ON m.set_no = t.set_no AND m.page_key = t.page_key
WHERE t.status = 'failed';
--> statement-breakpoint
CREATE VIEW page_degrees AS
SELECT p.pipeline, p.sink, p.set_no, p.page_key, p.url,
  (SELECT count(DISTINCT f.page_key) FROM links l
     JOIN current_pages f ON f.set_no = l.set_no AND f.page_key = l.page_key AND f.pipeline = p.pipeline AND f.sink = p.sink
   WHERE hashtextextended(l.url, 0) = hashtextextended(p.url, 0) AND l.url = p.url AND f.url <> p.url) AS inbound,
  (SELECT count(DISTINCT l.url) FROM links l
   WHERE l.set_no = p.set_no AND l.page_key = p.page_key AND l.url <> p.url) AS outbound
FROM current_pages p;
--> statement-breakpoint
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
--> statement-breakpoint
CREATE VIEW daily_tokens AS
SELECT r.pipeline, (r.started_at AT TIME ZONE 'UTC')::date AS day, count(DISTINCT r.run_id) AS runs, count(*) AS jobs,
  sum(t.pages_completed)::bigint AS pages_completed, sum(t.pages_failed)::bigint AS pages_failed,
  sum(t.tokens_charged)::bigint AS tokens_charged, sum(t.tokens_reserved)::bigint AS tokens_reserved
FROM runs r JOIN jobs j ON j.run_id = r.run_id JOIN token_summaries t ON t.job_no = j.job_no
GROUP BY 1, 2;
--> statement-breakpoint
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
--> statement-breakpoint
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
