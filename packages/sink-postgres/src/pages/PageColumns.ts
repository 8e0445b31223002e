// The columns of a page's rows, in the order in which COPY writes them. A new column needs its value in `Rows.ts`.

/** What a page holds; a delivery that differs in one of them has changed the page. */
export const contentColumns: ReadonlyArray<string> = [
  "url",
  "parent_url",
  "depth",
  "input_index",
  "status",
  "error_code",
  "error_message",
  "markdown",
  "html",
  "fingerprint",
  "extra"
]
/** How a page was fetched. */
export const fetchColumns: ReadonlyArray<string> = ["http_status", "duration_ms", "retry_count", "tokens_charged"]

const keyColumns = ["set_no", "page_key", "job_no"]
/** Columns of `pages`. */
export const pageColumns: ReadonlyArray<string> = [...keyColumns, ...contentColumns]
/** Columns of `page_metadata`. */
export const metadataColumns: ReadonlyArray<string> = [...keyColumns, ...fetchColumns]
/** Columns of `links`. */
export const linkColumns: ReadonlyArray<string> = ["set_no", "page_key", "position", "url"]
/** Columns of the stage, which holds a page with all that came with it. */
export const stageColumns: ReadonlyArray<string> = [...pageColumns, ...fetchColumns, "links"]
