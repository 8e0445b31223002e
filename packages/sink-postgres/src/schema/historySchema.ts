import { sql } from "drizzle-orm"
import { check, index, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core"
import { contentColumns, fetchColumns, instant, pageKey } from "./schemaColumns.ts"

/** In `history`: versions of pages that are no longer current, each a page with all that came with it. */
export const pageHistory = pgTable(
  "page_history",
  {
    setNo: integer("set_no").notNull(),
    pageKey: pageKey().notNull(),
    validFrom: instant("valid_from").notNull(),
    validTo: instant("valid_to").notNull(),
    closedAs: text("closed_as").notNull(),
    jobNo: integer("job_no").notNull(),
    ...contentColumns(),
    ...fetchColumns(),
    links: text("links").array().notNull()
  },
  (t) => [
    primaryKey({ name: "page_history_pkey", columns: [t.setNo, t.pageKey, t.validFrom] }),
    index("page_history_url_idx").using("hash", t.url),
    check("page_history_interval_check", sql`${t.validFrom} < ${t.validTo}`),
    check("page_history_closed_as_check", sql`${t.closedAs} in ('changed', 'gone')`)
  ]
)

/** In `history`: pages that stand and were not in the last whole crawls, to be closed when they have missed enough of them. */
export const missingPages = pgTable(
  "missing_pages",
  {
    setNo: integer("set_no").notNull(),
    pageKey: pageKey().notNull(),
    misses: integer("misses").notNull(),
    since: instant("since").notNull()
  },
  (t) => [primaryKey({ name: "missing_pages_pkey", columns: [t.setNo, t.pageKey] })]
)
