import { landsAt } from "./MergeSegment.ts"

const pageColumns = [
  "set_no",
  "page_key",
  "job_no",
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
const metadataColumns = ["http_status", "duration_ms", "retry_count", "tokens_charged"]

/**
 * The statement that keeps rows of `pages` as versions no longer current, with all that came with them. `former` names those
 * rows, locked. The version that follows, if one does, is valid from when this one is valid to.
 */
export const keepVersions = (former: string, closedAs: "changed" | "gone"): string =>
  `INSERT INTO page_history (${[...pageColumns, ...metadataColumns].join(", ")}, links, valid_from, valid_to, closed_as)
   SELECT ${[...pageColumns.map((name) => `f.${name}`), ...metadataColumns.map((name) => `m.${name}`)].join(", ")},
     ARRAY(SELECT l.url FROM links l WHERE l.set_no = f.set_no AND l.page_key = f.page_key ORDER BY l.position),
     f.landed_at, ${landsAt("f")}, '${closedAs}'
   FROM ${former} f LEFT JOIN page_metadata m ON m.set_no = f.set_no AND m.page_key = f.page_key`
