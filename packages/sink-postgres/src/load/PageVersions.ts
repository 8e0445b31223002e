import { fetchColumns, pageColumns } from "../pages/PageColumns.ts"
import { loadsAt } from "./MergeSegment.ts"

/**
 * The statement that keeps rows of `pages` as versions no longer current, with all that came with them. `former` names those
 * rows, locked. The version that follows, if one does, is valid from when this one is valid to.
 */
export const keepVersions = (former: string, closedAs: "changed" | "gone"): string =>
  `INSERT INTO page_history (${[...pageColumns, ...fetchColumns].join(", ")}, links, valid_from, valid_to, closed_as)
   SELECT ${[...pageColumns.map((name) => `f.${name}`), ...fetchColumns.map((name) => `m.${name}`)].join(", ")},
     ARRAY(SELECT l.url FROM links l WHERE l.set_no = f.set_no AND l.page_key = f.page_key ORDER BY l.position),
     f.landed_at, ${loadsAt("f")}, '${closedAs}'
   FROM ${former} f LEFT JOIN page_metadata m ON m.set_no = f.set_no AND m.page_key = f.page_key`
