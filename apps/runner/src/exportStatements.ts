import type { Dataset } from "@sluice/core/sink"

/** The rows that readers of a pipeline see of each dataset. Jobs are named by the API's IDs. */
export const exportStatements: { readonly [D in Dataset]: string } = {
  pages: `SELECT p.sink, j.job_id, p.url, p.parent_url, p.depth, p.input_index, p.status, p.error_code, p.error_message,
      p.markdown, p.html, p.landed_at, p.extra
    FROM current_pages p JOIN jobs j USING (job_no) WHERE p.pipeline = $1`,
  links: "SELECT sink, page_url, position, url FROM current_links WHERE pipeline = $1",
  page_metadata: `SELECT m.sink, j.job_id, m.url, m.http_status, m.duration_ms, m.retry_count, m.tokens_charged
    FROM current_page_metadata m JOIN jobs j USING (job_no) WHERE m.pipeline = $1`,
  token_summaries: `SELECT j.run_id::text AS run_id, j.job_id, j.kind, j.url, j.status, t.pages_discovered, t.pages_completed,
      t.pages_failed, t.pages_cancelled, t.tokens_charged, t.tokens_reserved, t.observed_at
    FROM token_summaries t JOIN jobs j USING (job_no) JOIN runs r USING (run_id) WHERE r.pipeline = $1 ORDER BY t.observed_at, j.job_id`
}
